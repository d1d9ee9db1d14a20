// What to do when camera or microphone cannot be had: where that is allowed differs from browser to browser.

const DEVICES = { audio: "Microphone", video: "Camera" };

// The name of the sentence about a problem of `getTracks`, for which these kinds are lacking.
export function adviceOn(problem, lacking) {
  if (problem === "denied") return `denied${browser()}`;
  const one = ["busy", "missing"].includes(problem) && lacking.length === 1;
  return one ? problem + DEVICES[lacking[0]] : problem;
}

function browser() {
  const { userAgent, maxTouchPoints } = navigator;
  if (/iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)) return "Ios"; // whatever its name
  if (/Firefox\//.test(userAgent)) return "Firefox";
  if (/Chrome\//.test(userAgent)) return "Chrome"; // and those that are built of it
  return "Safari";
}
