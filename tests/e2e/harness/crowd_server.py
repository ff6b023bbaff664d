"""An HTTP server that many clients may connect to at the same moment."""

import http.server


class CrowdServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # the library's five are fewer than one client's connections
