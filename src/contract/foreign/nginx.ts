/**
 * nginx: what its error log says of origins, with the place where it says it, and its own statuses. A whole line of the
 * log is found by the text in it.
 */
import type { ForeignRow } from "./row.ts";

const HEADER = "while reading response header from upstream";
const BODY = "while reading upstream";

export const NGINX: readonly ForeignRow[] = [
  ["connect() failed (111: Connection refused)", "nobody listens at the origin's port (502)"],
  ["connect() failed (113: No route to host)", "nobody answers for the origin's address (502)"],
  ["connect() failed (101: Network is unreachable)", "this machine has no route to the origin's address (502)"],
  ["upstream timed out (110: Connection timed out) while connecting to upstream", "connecting took too long (504)"],
  [
    "upstream timed out (110: Connection timed out) while SSL handshaking to upstream",
    "the TLS handshake took too long (504)",
  ],
  [
    "upstream timed out (110: Connection timed out) while sending request to upstream",
    "the origin did not take the request (504)",
  ],
  [`upstream timed out (110: Connection timed out) ${HEADER}`, "the origin sent no answer in time (504)"],
  [
    `upstream timed out (110: Connection timed out) ${BODY}`,
    "the origin fell silent in the body; the client's copy is cut",
  ],
  [
    `upstream prematurely closed connection ${HEADER}`,
    "the origin closed the connection before it had answered (502); crash and stale connection look alike",
  ],
  [
    `upstream prematurely closed connection ${BODY}`,
    "the origin closed in the middle of a body; the client's copy is cut",
  ],
  [`recv() failed (104: Connection reset by peer) ${HEADER}`, "the connection was reset before an answer (502)"],
  [`recv() failed (104: Connection reset by peer) ${BODY}`, "the connection was reset in the middle of a body"],
  ["upstream prematurely sent response", "the origin answered before it had been asked; the connection is dropped"],
  ["no live upstreams", "all origins of the group are marked as failed (502)"],
  ["upstream sent too big header", "the response head does not fit into the buffer (502)"],
  ["upstream sent no valid HTTP/1.0 header", "what came is no HTTP (502); passed on as HTTP/0.9 in old versions"],
  ["upstream sent invalid header", "a field of the response is malformed (502)"],
  ["upstream sent invalid chunked response", "the chunks of the response are wrong"],
  ["upstream sent data after final chunk", "bytes follow the end of a chunked response"],
  ["upstream sent data after trailers", "bytes follow the trailers of a response"],
  ['upstream sent more data than specified in "Content-Length"', "more body came than was declared"],
  ["upstream sent duplicate header line", "a field that may be there once is there twice (502)"],
  ["upstream sent too big trailers", "the trailers do not fit into the buffer"],
  ["upstream sent invalid trailer", "a trailer field is malformed"],
  ["upstream SSL certificate verify error", "the origin's certificate was not accepted (502)"],
  ["upstream SSL certificate does not match", "the origin's certificate is for another name (502)"],
  ["peer closed connection in SSL handshake", "the origin closed in the TLS handshake (502)"],
  ["SSL_do_handshake() failed", "the TLS handshake with the origin failed (502)"],
  ["could not be resolved (3: Host not found)", "the origin's name does not exist (502)"],
  ["could not be resolved (2: Server failure)", "the resolver failed (502)"],
  ["could not be resolved (5: Operation refused)", "the resolver refuses to answer (502)"],
  ["could not be resolved (110: Operation timed out)", "the resolver did not answer (502)"],
  ["no resolver defined to resolve", "a name in a variable needs `resolver` in the configuration (502)"],
  ["no port in upstream", "a name in a variable has no port and no scheme gives one (500)"],
  ["invalid URL prefix in", "a URL in a variable has no scheme (500)"],
  [
    "(99: Cannot assign requested address)",
    "this machine has no local port left towards the origin (502, logged as crit)",
  ],
  ["(24: Too many open files)", "this process has no descriptor left (logged as crit or alert)"],
  ["(12: Cannot allocate memory)", "this machine has no memory left"],
  ["worker_connections are not enough", "the worker has as many connections as it may"],
  ["limiting requests", "`limit_req` delays or refuses (503)"],
  ["limiting connections", "`limit_conn` refuses (503)"],
  ["client prematurely closed connection", "the client left, so the request to the origin was ended (499)"],
  ["client intended to send too large body", "the body exceeds `client_max_body_size` (413)"],
  [
    "an upstream response is buffered to a temporary file",
    "a response is larger than the buffers; a warning and no failure",
  ],
  ["400", "the request is malformed"],
  ["408", "the client did not send its request in time"],
  ["413", "the body exceeds `client_max_body_size`"],
  ["414", "the request line is longer than a buffer"],
  ["494", "the request's fields are larger than the buffers (sent as 400)"],
  ["495", "the client's certificate was not accepted (sent as 400)"],
  ["496", "the client sent no certificate (sent as 400)"],
  ["497", "plain HTTP came to a port for TLS (sent as 400)"],
  ["499", "the client left before it was answered; stands in the log only"],
  ["500", "an error of nginx itself or of its configuration"],
  ["502", "the origin failed in any way but by time: refused, closed, not understood, name not resolved"],
  ["503", "refused by a limit, or no origin is configured"],
  ["504", "a time limit towards the origin ran out"],
];
