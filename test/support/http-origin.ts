/** An origin of Node's own HTTP server, in the process of the test. */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

export interface HttpOrigin {
  readonly url: string;
  /** With what is connected to it. */
  close(): void;
}

/** `port`: 0 for one that is free. */
export async function httpOrigin(answer: http.RequestListener, port = 0): Promise<HttpOrigin> {
  const server = http.createServer(answer).listen(port, "127.0.0.1");
  // Rejects where the port is taken.
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
