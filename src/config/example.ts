/** The example of the reference page: one file with the keys that people ask for first. A test loads it. */
export const EXAMPLE = `
listeners:
  - bind: "0.0.0.0:8080"
admin:
  bind: "127.0.0.1:9090"
trustedProxies: ["10.0.0.0/8"] # the load balancer in front, and nobody else
accessLog: /var/log/goodgate/access.log

services:
  shop:
    hosts: ["shop.example.com", "*.shop.example.com"]
    pools: # in order of preference
      - name: aws
        origins: ["http://a1.example.net:3000", "http://a2.example.net:3000"]
      - name: gcp
        origins:
          - { url: "http://g1.example.org:3000", weight: 200 }
          - { url: "http://g2.example.org:3000", weight: 100 }
    health: { path: /healthz, interval: 2s, timeout: 1s }
    routes:
      - { name: reports, match: { path: "/reports/*", method: GET }, timeouts: { firstByte: 2m } }
      - { name: orders, match: { path: "/orders/{id}", methods: [PUT, DELETE] }, pools: [aws] }
      - { name: events, match: { path: /events, headers: { accept: text/event-stream } }, timeouts: { gap: false } }
    retry: { attempts: 3, budget: 10% }

  everything-else:
    pools:
      - origins: ["http://127.0.0.1:3001"]
`.trimStart();
