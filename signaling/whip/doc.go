// Package whip serves WHIP (RFC 9725) to publishers and WHEP
// (draft-ietf-wish-whep-03) to viewers.
//
//	POST   /whip/{name}    offer -> 201, answer, Location of the session, ETag
//	POST   /whep/{name}    the same; 409 and Retry-After while no publisher is live,
//	                       after 3 s if a publisher is connecting
//	GET    either          204; HEAD on WHEP tells the content type
//	OPTIONS either         200 and Accept-Post
//	PATCH  /session/{id}   trickled candidates or an ICE restart (RFC 8840)
//	DELETE /session/{id}   ends the session
//
// A session's URL holds 128 random bits and is the right to act on it.
// Each session has one goroutine, which runs the Source or Sink; its end is
// logged once, with the reason.
package whip
