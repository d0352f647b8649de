import { defineConfig } from "@playwright/test";
import { address, baseURL, data, devHost } from "./host.js";

// Each test runs twice: with WebAssembly, and with JavaScript off. One server and one host serve all of them, so
// guests are named after the run that makes them.
export default defineConfig({
  testDir: "specs",
  outputDir: "test-results",
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL,
    viewport: { width: 1440, height: 900 },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: "/usr/bin/chromium",
      args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "wasm", use: { javaScriptEnabled: true } },
    { name: "nojs", use: { javaScriptEnabled: false } },
  ],
  globalTeardown: "./teardown.ts",
  webServer: {
    command: "./server",
    url: `${baseURL}/login`,
    timeout: 60_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: "SIGTERM", timeout: 20_000 },
    env: { PADDOCK_ADDR: address, PADDOCK_DATA: data, PADDOCK_DEV_HOST: devHost },
  },
});
