// Times at the door, which the portal writes in UTC for whoever is not signed in, in the zone of this device.
"use strict";

function sayTimesInOwnZone(part) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const time of part.querySelectorAll("time[data-local]")) {
    time.textContent = `${format.format(new Date(time.dateTime))} (${format.resolvedOptions().timeZone})`;
  }
}

sayTimesInOwnZone(document);
