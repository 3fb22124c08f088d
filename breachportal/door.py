"""The WSGI door: it removes from each request's environ what is no part of the request.

Granian, as many WSGI servers, begins each environ with a copy of the process environment, which
contains the portal's secrets. Code that stores, logs or shows an environ would reveal them.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# The variables of a request that PEP 3333 and RFC 3875 (CGI) define. HTTP_* and wsgi.* come too.
CGI_VARIABLES = frozenset(
    {
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "PATH_INFO",
        "QUERY_STRING",
        "REMOTE_ADDR",
        "REQUEST_METHOD",
        "SCRIPT_NAME",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
    }
)
# A request header `Proxy` has the name of the variable that HTTP clients read (CVE-2016-5385).
NEVER_A_HEADER = "HTTP_PROXY"
_OF_REQUEST = ("HTTP_", "wsgi.")


def only_the_request(application: Application) -> Application:
    """Returns `application` behind the door: it gets CGI variables, headers and wsgi.* only.

    A header that equals a variable of the process environment is removed too, because the server
    may have copied it from there.
    """
    inherited = {name: value for name, value in os.environ.items() if name.startswith("HTTP_")}
    inherited[NEVER_A_HEADER] = ""

    def door(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        # No function call for each name: a process environment has dozens of them.
        request = {
            name: value
            for name, value in environ.items()
            if name[:5] in _OF_REQUEST or name in CGI_VARIABLES
        }
        for name, value in inherited.items():
            if name == NEVER_A_HEADER or request.get(name) == value:
                request.pop(name, None)
        return application(request, start_response)

    return door
