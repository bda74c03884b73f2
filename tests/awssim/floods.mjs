// Answers that never come to their body: header after header, one header without end, interim reply after interim reply.

// Writes as fast as the client takes it, and no faster: what it does not read must not pile up here.
function pump(socket, next) {
  const more = () => {
    for (;;) {
      const chunk = socket.destroyed ? undefined : next();
      if (chunk === undefined) return;
      if (!socket.write(chunk)) {
        socket.once("drain", more);
        return;
      }
    }
  };
  more();
}

const KILOBYTE = "x".repeat(1024);

export const FLOODS = {
  endless_headers: (res) => {
    let n = 0;
    res.socket.write("HTTP/1.1 200 OK\r\n");
    pump(res.socket, () => `X-Filler-${(n += 1)}: ${KILOBYTE}\r\n`);
  },

  big_header: (res, reply, fault) => {
    let left = fault.bytes ?? 100_000_000;
    res.socket.write("HTTP/1.1 200 OK\r\nX-Filler: ");
    pump(res.socket, () => {
      left -= KILOBYTE.length;
      return left > 0 ? KILOBYTE : undefined;
    });
  },

  flood_1xx: (res) =>
    pump(res.socket, () => "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n".repeat(16)),
};
