/** An origin of Node's own HTTP server, in the process of the test. */
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
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
