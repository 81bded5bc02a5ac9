package e2e

import (
	"fmt"
	"testing"
)

// latejoins is how often each kind of broadcast is joined: half of that as the
// only viewer, half while somebody watches already.
const latejoins = 50

// joined is when one viewer that came late saw what, in ms from its start.
type joined struct {
	First float64 `json:"first"` // any picture
	Live  float64 `json:"live"`  // a picture that was no older than 500 ms
	Moves float64 `json:"moves"` // the fifth such picture: it is more than one that stands still
	Age   float64 `json:"age"`   // of the first picture
}

// latejoinScript joins and leaves again. Its waits are random, so that joins lie
// anywhere between two keyframes.
const latejoinScript = `window.join = async (name) => {
	const { Viewer } = await import(endpoint + "/static/client/index.js");
	const video = document.querySelector("video"), age = reader(video);
	await new Promise((done) => setTimeout(done, 300 + Math.random() * 3000));
	const joiner = new Viewer({ endpoint, name, video, transport: "websocket" });
	const found = { first: 0, live: 0, moves: 0, age: 0 };
	let fresh = 0;
	await new Promise((done) => {
		const start = performance.now();
		const look = () => {
			const now = age(), took = performance.now() - start;
			if (!found.first) [found.first, found.age] = [took, now ?? 0];
			if (now !== null && now <= 500) {
				found.live ||= took;
				if (++fresh === 5) { found.moves = took; done(); }
			}
			if (!found.moves) video.requestVideoFrameCallback(look);
		};
		video.requestVideoFrameCallback(look);
		joiner.start();
	});
	await joiner.stop();
	return found;
}`

// BenchmarkLateJoin measures how long a viewer waits for a picture who comes to
// the page, over the WebSocket, in the middle of a broadcast.
func BenchmarkLateJoin(b *testing.B) {
	for _, in := range []struct{ name, transport string }{{"whip", "webrtc"}, {"upload", "websocket"}} {
		b.Run(in.name, func(b *testing.B) {
			r := newLatencyRig(b)
			for b.Loop() {
				publisher, stop := r.open()
				rigEval[any](r, publisher, fmt.Sprintf(`publish("latejoin", %q, 100)`, in.transport))
				other, leaveOther := r.open()
				viewer, leave := r.open()
				rigEval[any](r, viewer, latejoinScript)
				var first, live, moves, ages []float64
				for i := range latejoins {
					if i == latejoins/2 {
						rigEval[any](r, other, `watch("latejoin", "websocket")`)
					}
					found := rigEval[joined](r, viewer, `join("latejoin")`)
					first, live = append(first, found.First), append(live, found.Live)
					moves, ages = append(moves, found.Moves), append(ages, found.Age)
				}
				b.Logf("the first pictures were %.0f ms old", ages)
				report(b, first, "first-")
				report(b, live, "live-")
				report(b, moves, "moves-")
				rigEval[any](r, publisher, `publisher.stop()`)
				leave()
				leaveOther()
				stop()
			}
		})
	}
}
