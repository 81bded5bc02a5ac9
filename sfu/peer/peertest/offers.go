package peertest

import "strings"

// Session is the part of a browser's offer before its two sections, "0" and "1".
const Session = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\n"

// Common is what every section of a browser's offer has.
const Common = "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\n" +
	"a=ice-ufrag:Yp5S\r\na=ice-pwd:qZNiRsmsRGxqWvR7Ck6fB2gb\r\na=ice-options:trickle\r\n" +
	"a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n" +
	"a=setup:actpass\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"

// AudioSection is a section of Opus.
func AudioSection(mid, direction string) string {
	return "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n" + Common + "a=mid:" + mid + "\r\na=" + direction +
		"\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n"
}

// VideoSection is a section of VP8, or of H.264 as the second choice.
func VideoSection(mid, direction string) string {
	return "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102\r\n" + Common + "a=mid:" + mid + "\r\na=" + direction +
		"\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" +
		"a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1\r\na=ssrc:1111 cname:x\r\n"
}

// DataSection is the section of a data channel, "2".
const DataSection = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + Common + "a=mid:2\r\na=sctp-port:5000\r\n"

// ReceiveOffers are offers to receive, as clients make them.
func ReceiveOffers() map[string]string {
	firefox := "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 4281520093447139072 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" +
		"a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n" +
		"a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\n"
	transport := "c=IN IP4 0.0.0.0\r\na=ice-pwd:22f3a0e7c9a1bd6d4d4e8d1a9bb1c0f3\r\na=ice-ufrag:4f8e1b2c\r\na=rtcp-mux\r\na=setup:actpass\r\na=recvonly\r\n"
	firefox += "m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101\r\n" + transport + "a=mid:0\r\na=rtpmap:109 opus/48000/2\r\n" +
		"a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1\r\na=rtpmap:9 G722/8000/1\r\na=rtpmap:0 PCMU/8000\r\na=ssrc:1 cname:{a}\r\n"
	firefox += "m=video 9 UDP/TLS/RTP/SAVPF 120 124 126 127\r\n" + transport + "a=mid:1\r\na=rtcp-rsize\r\na=rtpmap:120 VP8/90000\r\na=rtpmap:124 rtx/90000\r\n" +
		"a=fmtp:120 max-fs=12288;max-fr=60\r\na=fmtp:124 apt=120\r\na=rtcp-fb:120 nack\r\na=rtcp-fb:120 nack pli\r\na=rtcp-fb:120 ccm fir\r\na=rtcp-fb:120 goog-remb\r\n" +
		"a=rtcp-fb:120 transport-cc\r\na=rtpmap:126 H264/90000\r\na=fmtp:126 profile-level-id=42e01f;packetization-mode=1\r\na=rtpmap:127 rtx/90000\r\na=fmtp:127 apt=126\r\n"
	gstreamer := strings.NewReplacer("UDP/TLS/RTP/SAVPF 120 124 126 127", "UDP/TLS/RTP/SAVPF 120", "a=rtcp-rsize\r\n", "", "a=recvonly", "a=sendrecv").Replace(firefox)
	return map[string]string{
		"Chromium":   Session + AudioSection("0", "recvonly") + VideoSection("1", "recvonly"),
		"Firefox":    firefox,
		"GStreamer":  gstreamer, // no RTX: it was not asked for
		"video only": strings.Replace(Session, "0 1", "video0", 1) + VideoSection("video0", "recvonly"),
		"odd order":  strings.Replace(Session, "0 1", "b a", 1) + VideoSection("b", "recvonly") + AudioSection("a", "recvonly"),
	}
}
