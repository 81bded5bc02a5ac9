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
//   - blob-in: each message is a whole blob of a recorder that was started anew, so it
//     begins with a header. chunk-in: the pieces of one recording. Headers in
//     mid-stream are understood on both, so they are one and the same, and a name has
//     one publisher: the second one on either gets 409.
//   - blob-out and chunk-out: the same media on both, nothing but binary: the init
//     segment and all from the newest keyframe on, then Clusters as they come. A
//     newcomer gets no whole blob: all that the old server held of it before the
//     newest keyframe only made the player late. The socket stays open between
//     broadcasts, and each of them begins with an init segment.
//
// Text is neither expected nor sent.
func (e *Endpoint) registerVideoStream(routes *signaling.Routes) {
	in := func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		e.publish(w, r, i, wireVideoStream, newMuteEventWriter)
	}
	out := func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		e.watch(w, r, i, wireVideoStream, true)
	}
	const prefix = "/compat/node-videostream/"
	routes.Add(socketRoute(prefix+"blob-in/{name...}", signaling.Publish, in))
	routes.Add(socketRoute(prefix+"chunk-in/{name...}", signaling.Publish, in))
	routes.Add(socketRoute(prefix+"blob-out/{name...}", signaling.Watch, out))
	routes.Add(socketRoute(prefix+"chunk-out/{name...}", signaling.Watch, out))
}
