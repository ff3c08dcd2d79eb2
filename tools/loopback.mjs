// Loaded into the emulators with `node --import`: they would listen on every interface of the
// machine and have no option for it. A test server answers this machine only.
import net from "node:net";

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, host, ...rest) {
  return typeof port === "number" && host === undefined
    ? listen.call(this, port, "127.0.0.1", ...rest)
    : listen.call(this, port, host, ...rest);
};
