package ws

import (
	"net/http"

	"weir/signaling"
)

// wireVideoStream names what these clients speak.
const wireVideoStream = "node-videostream"

// registerVideoStream adds what clients of node-videostream speak. They used a
// port for each way; here it is a path, and a name that other clients see too:
//
//   - blob-in: each message is a whole blob of a recorder that was started anew,
//     so it begins with a header. chunk-in: the pieces of one recording. Headers
//     in mid-stream are understood on both, so they are one and the same, and a
//     name has one publisher: whoever comes second on either gets 409.
//   - blob-out and chunk-out: the same media on both, nothing but binary: the init
//     segment and all from the newest keyframe on, then Clusters as they come. A
//     newcomer gets no whole blob: all that the old server held of it before the
//     newest keyframe only made the player late. The socket stays open between
//     broadcasts, and each of them begins with an init segment.
//
// Text is neither expected nor sent.
func (e *Endpoint) registerVideoStream(mux *http.ServeMux) {
	in := signaling.Get(e.serve(func(w http.ResponseWriter, r *http.Request) { e.publish(w, r, wireVideoStream, newMuteOutbox) }))
	out := signaling.Get(e.serve(func(w http.ResponseWriter, r *http.Request) { e.watch(w, r, wireVideoStream, true) }))
	const prefix = "/compat/node-videostream/"
	mux.HandleFunc(prefix+"blob-in/{name...}", in)
	mux.HandleFunc(prefix+"chunk-in/{name...}", in)
	mux.HandleFunc(prefix+"blob-out/{name...}", out)
	mux.HandleFunc(prefix+"chunk-out/{name...}", out)
}
