// The host under test: where it is, and what its own tools say of its guests.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const address = "127.0.0.1:3911";
export const baseURL = `http://${address}`;
export const password = "a password of the browser tests";
export const devHost = join(tmpdir(), "paddock-end2end");
export const data = join(devHost, "data");
export const bundle = join(devHost, "bundles", "busybox");

function said(tool: string, ...words: string[]): string {
  try {
    return execFileSync(tool, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

/** `RUNNING`, `STOPPED`, or nothing where there is no such container. */
export const lxcInfo = (name: string) => said("lxc-info", "-P", `${devHost}/lxc`, "-n", name, "-s", "-H");

/** `created`, `running`, `stopped`, or nothing where there is no such container. */
export function crunState(id: string): string {
  const text = said("crun", "--root", `${devHost}/crun`, "state", id);
  return text === "" ? "" : JSON.parse(text).status;
}

/** Runs crun on the host under test, as somebody at its shell would. */
export const crun = (...words: string[]) => said("crun", "--root", `${devHost}/crun`, ...words);

/** Runs one of LXC's tools on the host under test, as somebody at its shell would. */
export const lxc = (tool: string, ...words: string[]) => said(tool, "-P", `${devHost}/lxc`, ...words);

/** Where LXC keeps the container of this name. */
export const directory = (name: string) => join(devHost, "lxc", name);

/** A container that was never started, as LXC keeps it; `more` are further lines of its configuration. */
export function define(name: string, more = "") {
  const at = directory(name);
  mkdirSync(join(at, "rootfs"), { recursive: true });
  writeFileSync(join(at, "config"), `lxc.uts.name = ${name}\nlxc.rootfs.path = dir:${at}/rootfs\n${more}`);
}
