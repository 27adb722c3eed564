import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface ConnectProxy {
  url: string;
  /** Request lines with the credential, as they came. */
  asked: { target: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

/** A forward proxy on loopback that opens tunnels, or answers with a status of the test's choice. */
export async function startConnectProxy(statusOf: (target: string) => number = () => 200): Promise<ConnectProxy> {
  const asked: ConnectProxy['asked'] = [];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => undefined);
    client.once('data', (head) => {
      const text = head.toString('latin1');
      const target = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(text)?.[1] ?? '';
      asked.push({ target, authorization: /^Proxy-Authorization: (.*)\r$/m.exec(text)?.[1] });
      const status = statusOf(target);
      if (status !== 200) return client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      const { hostname, port } = new URL(`http://${target}`);
      const upstream = connect(Number(port), hostname.replace(/^\[(.*)\]$/, '$1'));
      open.add(upstream);
      upstream.on('error', () => client.destroy());
      upstream.once('connect', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
