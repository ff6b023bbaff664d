"""What a file of callgrind says, but for what differs from machine to machine."""

# The C library chooses its string functions by the processor, OpenSSL its ciphers and hashes; the loader runs once.
BY_PROCESSOR = ("/libc.so", "/libc-", "/libm.so", "/libcrypto.so", "/libssl.so", "/ld-linux")


def counted(file):
    """Instructions in hawker's own code and in the libraries that are the same on every processor."""
    objects = {}  # number -> name: names are written out once
    total = 0
    here_counts = True
    after_calls = False
    with open(file, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("ob="):
                here_counts = not any(part in _name(line[3:], objects) for part in BY_PROCESSOR)
            elif line.startswith("cob="):
                _name(line[4:], objects)
            elif line.startswith("calls="):
                after_calls = True  # the next line is the callee's, which is counted there
            elif line[0] in "0123456789+-*":
                if here_counts and not after_calls:
                    total += int(line.split()[1])
                after_calls = False
    return total


def _name(text, names):
    """"(3) /usr/lib/x.so" defines a number, "(3)" uses it."""
    number, _, name = text.strip().partition(" ")
    return names.setdefault(number, name)
