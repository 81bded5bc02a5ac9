package e2e

// weatherPage publishes or watches, and tells twice a second how that goes.
const weatherPage = `<!doctype html><title>weather</title><link rel="icon" href="data:,">
<video muted playsinline></video>
<script type="module">
const query = new URLSearchParams(location.search), video = document.querySelector("video");
const connections = [], gaps = [], errors = [];
let state = "", held = 0, beat = performance.now(), before = null;

addEventListener("error", (e) => errors.push(e.message));
addEventListener("unhandledrejection", (e) => errors.push(String(e.reason)));
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...args) { super(...args); connections.push(this); }
};
const { Publisher, Viewer } = await import("/static/client/index.js");

// A page that gets no time shows no picture, which is nobody's freeze.
setInterval(() => {
  const now = performance.now();
  held = Math.max(held, now - beat - 100);
  beat = now;
}, 100);

const look = (now) => {
  if (before !== null && now - before > 400) gaps.push({ end: performance.timeOrigin + now, ms: now - before, held });
  before = now;
  held = 0;
  video.requestVideoFrameCallback(look);
};

const numbers = (entry) => Object.fromEntries(Object.entries(entry ?? {}).filter(([, v]) => typeof v === "number"));
async function tell() {
  const report = [...(await connections.at(-1)?.getStats() ?? new Map()).values()];
  const flow = query.has("publish") ? "outbound-rtp" : "inbound-rtp";
  const of = (kind) => numbers(report.find((e) => e.type === flow && e.kind === kind));
  const transport = report.find((e) => e.type === "transport") ?? {};
  await fetch("/weather", { method: "POST", body: JSON.stringify({
    state, gaps, errors, frozen: before === null ? 0 : performance.now() - before, video: of("video"), audio: of("audio"),
    ciphers: [transport.srtpCipher, transport.dtlsCipher].filter(Boolean).join(", "),
  }) });
}
setInterval(() => tell().catch((e) => errors.push(String(e))), 500);

let client;
if (query.has("publish")) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360, frameRate: 20 } });
  client = new Publisher({ name: query.get("publish"), stream, transport: "webrtc", record: false });
} else {
  client = new Viewer({ name: query.get("watch"), video, transport: "webrtc" });
  video.requestVideoFrameCallback(look);
}
client.addEventListener("state", ({ detail }) => { state = detail.state; });
client.start();
</script>`

// weatherFigures is what a weatherPage tells.
type weatherFigures struct {
	State   string             `json:"state"`
	Gaps    []weatherGap       `json:"gaps"`
	Frozen  float64            `json:"frozen"` // ms since the newest picture
	Video   map[string]float64 `json:"video"`  // numbers of getStats
	Audio   map[string]float64 `json:"audio"`
	Ciphers string             `json:"ciphers"` // "" if the browser does not tell
	Errors  []string           `json:"errors"`
}

// weatherGap is a time without a new picture.
type weatherGap struct {
	End  float64 `json:"end"` // Unix time, ms
	MS   float64 `json:"ms"`
	Held float64 `json:"held"` // ms that the page had no time
}
