"""The contestants: how each is started. Their configurations are in peers/."""

import os
import pathlib
import re
import shutil
import subprocess
import time

from server import Server, answers, free_port, wait_until

CONFIGS = pathlib.Path(__file__).with_name("peers")
SPLICE = pathlib.Path("build/release/bench/bench_splice").absolute()

NGINX_CACHE_PATH = \
    "proxy_cache_path {work}/cache levels=1:2 keys_zone=bench:256m max_size=40g inactive=1d use_temp_path=off;"
NGINX_CACHE = """
        location / {{
            {slice}
            proxy_pass http://127.0.0.1:{origin};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache bench;
            proxy_cache_key {key};
            proxy_cache_valid 200 206 1d;
            proxy_cache_lock on;
            tcp_nopush off;  # with it a 64 KiB hit waits 40 ms for a delayed acknowledgement
        }}
"""


def configured(name: str, **values) -> str:
    return (CONFIGS / name).read_text().format(**values)


def run(command: list, work: pathlib.Path, **options) -> subprocess.Popen:
    with open(work / "output", "ab") as out:
        return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options)


def listening(name: str, port: int, process: subprocess.Popen, prefix: str = "") -> Server:
    def is_up():
        if process.poll() is not None:
            raise ChildProcessError(f"{name} ended with {process.returncode}")
        return answers(port)
    wait_until(is_up, f"{name} does not listen")
    return Server(name, port, process, prefix)


def start_nginx(name: str, work: pathlib.Path, root: pathlib.Path, origin: int | None = None, slice_size: str | None = None,
                tls: tuple[pathlib.Path, pathlib.Path] | None = None, location: str = "") -> Server:
    """Static without an origin; a cache in front of it with one, in slices of `slice_size`."""
    work.mkdir()
    port = free_port()
    cache_path = ""
    if origin is not None:
        cache_path = NGINX_CACHE_PATH.format(work=work)
        sliced = f"slice {slice_size}; proxy_set_header Range $slice_range;" if slice_size else ""
        location = NGINX_CACHE.format(origin=origin, slice=sliced, key="$uri$slice_range" if slice_size else "$uri")
    certificate = f"ssl; ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]}" if tls else ""
    config = work / "nginx.conf"
    config.write_text(configured("nginx.conf", work=work, port=port, root=root, cache_path=cache_path, location=location,
                                 tls=certificate))
    return listening(name, port, run(["/usr/sbin/nginx", "-e", work / "error.log", "-c", config], work))


def start_squid(work: pathlib.Path, origin: int) -> Server:
    work.mkdir()
    port = free_port()
    config = work / "squid.conf"
    config.write_text(configured("squid.conf", work=work, port=port))
    if os.geteuid() == 0:  # as which Squid refuses to serve
        shutil.chown(work, "proxy", "proxy")
    squid = ["/usr/sbin/squid", "-N", "-n", f"bench{port}", "-f", config]  # -n: whose shared memory it is
    subprocess.run([*squid, "-z"], check=True, capture_output=True)
    server = listening("squid", port, run(squid, work), f"http://127.0.0.1:{origin}")
    for memory in pathlib.Path("/dev/shm").glob(f"bench{port}-*"):  # it has it open; who is killed leaves none behind
        memory.unlink()
    return server


def start_trafficserver(work: pathlib.Path, origin: int, connect_ports: list[int]) -> Server:
    port = free_port()
    for folder in ("etc", "cache", "run", "log"):
        (work / folder).mkdir(parents=True)
    for name in ("ip_allow.yaml", "plugin.config", "ssl_multicert.config"):
        (work / "etc" / name).write_text(pathlib.Path("/etc/trafficserver", name).read_text())
    for name in ("remap.config", "hosting.config", "volume.config", "parent.config", "cache.config", "splitdns.config",
                 "socks.config"):
        (work / "etc" / name).write_text("")
    for name in ("sni.yaml", "strategies.yaml", "logging.yaml"):
        (work / "etc" / name).write_text("# nothing\n")
    (work / "etc" / "ip_allow.yaml").write_text("ip_allow:\n  - {apply: in, ip_addrs: 127.0.0.1, action: allow, methods: ALL}\n")
    (work / "etc" / "storage.config").write_text(f"{work}/cache 40G\n")
    (work / "etc" / "records.config").write_text(configured(
        "trafficserver.records.config", port=port, connect_ports=" ".join(map(str, connect_ports))))
    layout = {"prefix": "/usr", "bindir": "/usr/bin", "sbindir": "/usr/sbin", "sysconfdir": work / "etc",
              "datadir": work / "cache", "libexecdir": "/usr/lib/trafficserver/modules", "libdir": "/usr/lib",
              "localstatedir": work / "run", "runtimedir": work / "run", "logdir": work / "log", "cachedir": work / "cache",
              "includedir": "/usr/include", "mandir": "/usr/share/man", "infodir": "/usr/share/info",
              "exec_prefix": "/usr"}
    (work / "runroot.yaml").write_text("".join(f"{key}: {path}\n" for key, path in layout.items()))
    process = run(["/usr/bin/traffic_server", f"--run-root={work}/runroot.yaml"], work)
    return listening("trafficserver", port, process, f"http://127.0.0.1:{origin}")


def start_varnish(work: pathlib.Path, origin: int) -> Server:
    work.mkdir()
    port = free_port()
    program = work / "default.vcl"
    program.write_text(configured("varnish.vcl", origin=origin))
    process = run(["/usr/sbin/varnishd", "-F", "-f", program, "-n", work / "run", "-a", f"127.0.0.1:{port}", "-T", "none",
                   "-s", "default=malloc,256m", "-s", f"large=file,{work}/storage,4g",
                   "-p", "timeout_idle=3600", "-p", "thread_pool_max=5000"], work)
    return listening("varnish", port, process)


def start_splice(work: pathlib.Path) -> Server:
    """The bare loop that a tunnel's CPU is measured by."""
    work.mkdir()
    port = free_port()
    return listening("splice loop", port, run([SPLICE, port], work))


def start(bench, name: str, origin: int, slice_size: str | None = None) -> Server:
    """The cache of that name, fresh, before the origin."""
    work = bench.folder(name)
    if name == "nginx":
        return start_nginx("nginx slice" if slice_size else "nginx cache", work, bench.root, origin, slice_size)
    if name == "squid":
        return start_squid(work, origin)
    if name == "trafficserver":
        return start_trafficserver(work, origin, [origin])
    return start_varnish(work, origin)


def start_hawker(work: pathlib.Path, hawkerd: str, origins: list[int], connect_ports: list[int], extra: str = "",
                 name: str = "hawker") -> Server:
    work.mkdir(exist_ok=True)
    config, log = work / "hawker.yaml", work / "output"
    config.write_text(configured("hawker.yaml", work=work, origins="|".join(map(str, origins)),
                                 connect_ports=", ".join(map(str, connect_ports))) + extra)
    log.write_text("")  # a long one takes a while to go
    begun = time.monotonic()
    process = run([hawkerd, "--config", config], work)
    found = wait_until(lambda: re.search(r"listening proxy=127\.0\.0\.1:(\d+)", log.read_text()), "hawkerd does not listen")
    return Server(name, int(found.group(1)), process, f"http://127.0.0.1:{origins[0]}", begun)
