// Package ws carries media through a WebSocket, for clients that cannot use WebRTC: an
// upload of MediaRecorder's bytes is a Source of the hub, a feed for Media Source
// Extensions a Sink. Binary messages are media, text messages are JSON objects with a
// "type". It is the home of gorilla/websocket.
//
// # GET /ws/publish/{name}
//
// Binary messages are the bytes of one WebM or Matroska stream, cut anywhere: VP8,
// VP9, AV1 or H264, and Opus, mono or stereo, one track of each kind. A client that
// sends nothing else is a valid publisher. ?record=0: not recorded; ?title= and
// ?description= are what is said of the stream. Text from
// the client, all of it optional:
//
//	{"type":"hello","client_id":"...","machine":{...}}  the client; logged, not interpreted
//	{"type":"hello","title":"...","description":"..."}  what is said of the stream, in the same message or another, at any time
//	{"type":"start"} {"type":"stop"}                     a broadcast begins, ends
//	{"type":"pause"} {"type":"resume"}                   no bytes are to be expected
//	{"type":"bye"}                                       the socket is about to be closed on purpose
//
// Text to the client:
//
//	{"type":"session","id":"...","name":"...","watch":"/watch/{name}"}   at once
//	{"type":"accepted","bytes":N}      bytes taken in so far; at most four a second
//	{"type":"status","state":"connecting|live|paused|ended"}             when it changes
//	{"type":"error","title":"...","detail":"..."}
//
// An error that ends the upload is followed by the end of the socket, whose Close
// frame has its text too, as far as there is room; one about a text message is not.
// All tracks of the header are carried or none: PCM, AAC, Vorbis, surround, subtitles,
// a second track of a kind, and what is compressed or encrypted by the container are
// refused before anything is live. So is H264 with B-frames, if they are among the
// first 8 pictures; what shows later ends the upload. The alpha plane of VP8 and VP9
// is not carried. A socket is one broadcast:
// "stop", "bye" and a close with 1000 or no code end it on purpose. A recorder
// that is started anew in mid-stream goes on with the same broadcast as long as it
// has the same codecs. Close codes (RFC 6455 section 7.4.1): 1001 shutdown, 1003
// not WebM, not to be carried or other codecs than before, 1008 a limit was passed or the
// operator has ended the session, 1009 a message
// too large, 1011 the server's own fault.
//
// # GET /ws/watch/{name}
//
// Text from the client, optional and first:
//
//	{"type":"hello","framing":"clusters|growing","durations":"never|without-sound|always","containers":["webm","mp4"]}
//
// "containers" is what its SourceBuffer takes, WebM if it does not say. A broadcast of
// H264, which no browser takes in WebM, comes as fragmented MP4, each binary message a
// moof and its mdat, whatever the framing; a keyframe of other parameter sets is
// preceded by an init segment in the same message. All others come as WebM. A viewer
// that takes neither gets an error of status 422.
//
// "clusters", the default: each binary message is one whole Cluster of known
// size, about 40 to 100 ms. "growing": a Cluster of unknown size begins with each
// keyframe and is sent block by block, for browsers that buffer only Clusters
// which begin with a keyframe.
//
// "durations" is when blocks are to tell how long they last, as BlockGroups: always,
// only of a broadcast that has no sound, or never, which is the default. Then a picture
// comes when the next one is there, or after 300 ms of sound, and the header says
// nothing of how long pictures last. Firefox needs that always, Chromium without sound:
// see webm.LiveConfig. Streams for "always" are muxed once more than for all others.
//
// Text to the client:
//
//	{"type":"waiting"}                     no publisher is live, or it is away
//	{"type":"init","mime":"video/webm; codecs=\"vp8,opus\""}   the next binary message is an init segment;
//	                                       or "video/mp4; codecs=\"avc1.42c01f,opus\""
//	{"type":"paused"} {"type":"resumed"}   the picture has stood still for 5 s beside the sound; it goes on
//	{"type":"ended","recording":"/recordings/{id}.webm"}       recording only if there is one
//	{"type":"error","status":422,"title":"...","detail":"..."}  then the socket is closed
//
// There may be another init within a broadcast. A viewer that comes while a picture is
// declared and cannot be begun with, because it has not come or has not come for long,
// gets the sound alone after a second, and both from the next keyframe on. All get
// another one where a keyframe says that profile, bit depth or chroma format have
// changed. Media behind an init begin at time zero, in another SourceBuffer.
//
// While a publisher sends sound and no picture, the last picture is shown again every
// 100 ms, by frames of a few bytes that codec.Still makes: players stop their sound
// where the picture has ended. Where it cannot (H.264 of High, AV1 right behind a
// keyframe), all viewers get the sound alone after 2.5 s, until pictures come steadily
// again.
//
// # /compat/amlive/ and /compat/node-videostream/
//
// The same for pages that were made for those two servers: they know no events,
// so they get none, and a reason only in the Close frame. They take WebM alone.
// compat_amlive.go and compat_videostream.go tell their routes.
package ws
