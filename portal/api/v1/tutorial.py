"""The tutorial on the API's documentation page: four calls from nothing to a room with a moderator link.

The tests execute exactly the commands that the page shows.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step: a command to type, and a sentence that explains it."""

    words: str
    command: str


CREDENTIAL = Step(
    "On the portal's machine, make a credential that acts with your rights. In a clone the command is"
    " `.venv/bin/portal`.",
    "portal client create --name Tutorial --user {user}"
    " --scopes rooms.read,rooms.write,access.read,access.write --json",
)
EXPORTS = Step(
    "It prints `client_id` and `client_secret`; the secret is shown this once. Keep both for the calls below.",
    "export CLIENT_ID=…\nexport CLIENT_SECRET=…",
)
CALLS = (
    Step(
        "Exchange it for an access token.",
        'TOKEN=$(curl -s {base}/oauth/token \\\n  -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials'
        ' \\\n  | sed \'s/.*"access_token": *"\\([^"]*\\)".*/\\1/\')',
    ),
    Step(
        "Create a room. Its id is in the answer, and in the header Location.",
        "ROOM=$(curl -s {base}/api/v1/rooms \\\n"
        '  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\\n'
        '  -d \'{{"room_name": "Business Meeting"}}\' \\\n'
        '  | sed \'s/.*"object":"Room","id":"\\([^"]*\\)".*/\\1/\')',
    ),
    Step(
        "Create a token for moderators.",
        "curl -s {base}/api/v1/rooms/$ROOM/tokens \\\n"
        '  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\\n'
        '  -d \'{{"role": "moderator"}}\'',
    ),
    Step(
        "Read the room together with its tokens: `url` is the link to send.",
        'curl -s "{base}/api/v1/rooms/$ROOM?include=tokens" \\\n  -H "Authorization: Bearer $TOKEN"',
    ),
)


def filled(step: Step, base: str, user: str = "alice@demo.example") -> str:
    """The step's command for a portal at the address `base` and the user with this e-mail address."""
    return step.command.format(base=base, user=user)
