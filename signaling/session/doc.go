// Package session holds the clients that are connected: one [Registry] has the session
// of each publisher and each viewer of a server, over WebRTC and over WebSockets, those
// of old clients too.
//
// An id is 26 random characters (130 bits). It is a secret: a client that knows it may
// end the session or take its place. Only [LogID] of it gets into logs.
//
// A session is in the registry from before its client is answered until nothing of it
// runs any more, a publisher's recording included. It is over before that: when its
// stream's name is free again. One that is over is not found by its id.
//
// The endpoint that begins a session passes the function that cancels it. The registry
// ends sessions by that alone, with a cause: [ErrReplaced], [ErrKicked],
// sfu.ErrShutdown, or the cause that [Registry.End] was called with.
package session
