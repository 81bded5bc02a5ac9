// Package session knows who is connected: one [Registry] holds the session of each
// publisher and each viewer of a server, over WebRTC and over WebSockets, those of
// old clients too.
//
// An id is 26 random characters (130 bits), and whoever knows it may act on the
// session: end it, or take its place. Only [LogID] of it gets into logs.
//
// A session is in the registry from before its client is answered until nothing of it
// runs any more, a publisher's recording included. It is over before that: when its
// stream's name is free again. One that is over is not found by its id.
//
// Who begins a session gives a function that cancels it. The registry ends sessions by
// that alone, with a cause: [ErrReplaced], [ErrKicked], sfu.ErrShutdown, or what
// the caller of [Registry.End] says.
package session
