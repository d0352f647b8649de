import { execFileSync } from "node:child_process";
import { devHost } from "./host.js";

export default function teardown() {
  execFileSync("../.ci/dev-host", ["--remove", devHost], { stdio: "inherit" });
}
