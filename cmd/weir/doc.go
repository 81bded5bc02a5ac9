// Command weir is a WebRTC SFU with server-side WebM recording.
//
//	weir serve      run the server
//	weir version    print the version
//
// app.go is the only place where the parts are put together.
package main
