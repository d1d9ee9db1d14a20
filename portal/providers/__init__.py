"""Providers: the services that run rooms, each an adapter in a folder of its own, and the border to the portal.

An adapter is a type of service; binding it to the properties of a row of `service_providers` gives a service. Small
Protocols tell what a service can do, and pages show no more than that. Only an adapter knows its service's words, and
one adapter never imports another. A page never asks a service: it reads the stored status.

    base.py          the Protocols, and the values that cross the border
    held_videos.py   the same for services that hold videos
    counts.py        how counts are stored
    catalog.py       the list of adapters; to add one, add a folder and a line there
    registry.py      provider type → adapter
    fetch.py         the guarded HTTP client for addresses that people typed in
    reach.py         what an operator lets it call besides public servers by https
    mesh/            conferences directly between browsers, without a media server
    broadcast/       live rooms that the portal itself sends
    vod/             videos that the portal itself keeps and shows
    vimeo/           videos at Vimeo
    bigbluebutton/   conferences at BigBlueButton servers, and at Scalelite in front of several
"""
