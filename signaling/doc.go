// Package signaling is the HTTP surface: the server with its limits, what wraps every
// request, the one place where the Authorizer is asked, and the one table that turns
// the program's errors into status codes and problem documents (RFC 9457).
//
// The endpoints are in the packages below: whip (WHIP and WHEP), ws (WebSockets), vod
// (recordings) and admin (the REST API). They add their routes to one [Routes]; this
// package knows none of them.
//
// # The path of a request
//
//  1. Proxies tell how the client reached the server ([Forwarded]), and take their
//     prefix off the path.
//  2. The [Route] says which [Action] the method asks for. A method that is not there
//     is answered with 405, and OPTIONS with the list of methods.
//  3. The request is read into an [Intent]: action, stream, session or recording,
//     ?record=, ?replaces=, client, address. Nothing behind it reads these again.
//  4. The [Authorizer] is asked, once. A refusal is answered with a problem document; a
//     WebSocket is not opened, no body is read, no name is claimed.
//  5. The [Handler] of the route gets the request and its intent.
//
// A WebSocket whose first message tells what it is for ([Connect]) asks again, with that
// (Intent.As), before it does anything. A test of cmd/weir lists all routes with their
// actions, and fails for one that is new.
package signaling
