# Varnish: in front of the origin; small objects in memory, large ones in its file storage.
vcl 4.1;
import std;
backend origin {{
    .host = "127.0.0.1";
    .port = "{origin}";
    .max_connections = 1000;
}}
sub vcl_backend_response {{
    set beresp.ttl = 1d;
    set beresp.do_stream = true;
    if (std.integer(beresp.http.Content-Length, 0) > 131072) {{
        set beresp.storage = storage.large;
    }}
}}
