package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// A file of RTP packets is a row of: milliseconds (4 bytes, little endian), length
// (4 bytes), and a packet of RTP or RTCP. Payload type 96 is the picture, 111 is Opus.
// The first SSRC of each becomes the one that the offer names; others stay.
const (
	replayVideo  = 96
	replayAudio  = 111
	replayReport = 200 // RFC 3550 section 6.4.1
)

// replayed is one packet of such a file.
type replayed struct {
	at   time.Duration
	data []byte
}

func readReplay(file string) (list []replayed, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for len(raw) > 0 {
		if len(raw) < 8 || uint64(len(raw)-8) < uint64(binary.LittleEndian.Uint32(raw[4:])) {
			return nil, fmt.Errorf("%s ends within a packet", file)
		}
		n := binary.LittleEndian.Uint32(raw[4:])
		if n < 12 {
			return nil, fmt.Errorf("%s has a packet of %d bytes", file, n)
		}
		list = append(list, replayed{time.Duration(binary.LittleEndian.Uint32(raw)) * time.Millisecond, raw[8 : 8+n]})
		raw = raw[8+n:]
	}
	return list, nil
}

// appendReplay appends one packet to such a file.
func appendReplay(raw []byte, at time.Duration, packet []byte) []byte {
	raw = binary.LittleEndian.AppendUint32(raw, uint32(at.Milliseconds()))
	raw = binary.LittleEndian.AppendUint32(raw, uint32(len(packet)))
	return append(raw, packet...)
}

// withoutJumps returns packets whose clocks have not jumped: where a track's RTP time
// runs away from the times at which its packets are sent, all that follow are put back,
// and what reports say of it, too. A report that is none of the clock of the packets
// before it is left out.
func withoutJumps(list []replayed) []replayed {
	const jump = 400 * time.Millisecond
	type clock struct {
		rate  int64
		at    time.Duration
		stamp uint32
		by    uint32 // how far it has jumped
	}
	clocks := map[uint32]*clock{}
	// off returns how far a stamp is from where the last packet's clock would have it.
	off := func(c *clock, at time.Duration, stamp uint32) time.Duration {
		return time.Duration(int64(int32(stamp-c.stamp)))*time.Second/time.Duration(c.rate) - (at - c.at)
	}
	var all []replayed
	for _, p := range list {
		data := append([]byte{}, p.data...)
		ssrc, field := binary.BigEndian.Uint32(data[8:]), data[4:]
		report := data[1] == replayReport
		if report {
			ssrc, field = binary.BigEndian.Uint32(data[4:]), data[16:]
		}
		stamp, c := binary.BigEndian.Uint32(field), clocks[ssrc]
		switch {
		case report && (c == nil || off(c, p.at, stamp).Abs() >= jump):
			continue
		case c == nil:
			c = &clock{rate: 48000, at: p.at, stamp: stamp}
			if data[1]&0x7f == replayVideo {
				c.rate = 90000
			}
			clocks[ssrc] = c
		case !report:
			if away := off(c, p.at, stamp); away.Abs() >= jump {
				c.by += uint32(int64(away) * c.rate / int64(time.Second))
			}
			c.at, c.stamp = p.at, stamp
		}
		binary.BigEndian.PutUint32(field, stamp-c.by)
		all = append(all, replayed{p.at, data})
	}
	return all
}

// codecOption is how the README of a case tells the codec of a file.
var codecOption = regexp.MustCompile(`-codec (VP8|VP9|AV1|H264) ([-\w.]+)`)

// replayCodec returns what the README beside a file, or else its name, says of the
// codec of its picture; VP8 if neither does.
func replayCodec(file string) string {
	readme, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "README.md")) // a case need not have one
	for _, m := range codecOption.FindAllSubmatch(readme, -1) {
		if string(m[2]) == filepath.Base(file) {
			return string(m[1])
		}
	}
	for _, codec := range []string{"VP9", "AV1", "H264"} {
		if strings.Contains(strings.ToUpper(filepath.Base(file)), codec) {
			return codec
		}
	}
	return "VP8"
}

// replayTrack is a track whose packets are sent as they are in the file.
type replayTrack struct {
	kind    webrtc.RTPCodecType
	mime    string
	mid     string
	first   uint32 // SSRC in the file
	context webrtc.TrackLocalContext
	ready   chan struct{}
}

func (t *replayTrack) ID() string                { return t.kind.String() }
func (t *replayTrack) RID() string               { return "" }
func (t *replayTrack) StreamID() string          { return "replay" }
func (t *replayTrack) Kind() webrtc.RTPCodecType { return t.kind }

// Bind implements webrtc.TrackLocal.
func (t *replayTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, p := range c.CodecParameters() {
		if strings.EqualFold(p.MimeType, t.mime) {
			t.context = c
			close(t.ready)
			return p, nil
		}
	}
	return webrtc.RTPCodecParameters{}, fmt.Errorf("the answer has no %s", t.mime)
}

// Unbind implements webrtc.TrackLocal.
func (t *replayTrack) Unbind(webrtc.TrackLocalContext) error { return nil }

// replay is a WHIP client that sends the packets of a file.
type replay struct {
	t       *testing.T
	pc      *webrtc.PeerConnection
	tracks  map[uint8]*replayTrack // by payload type
	session string
}

// startReplay publishes; run sends.
func startReplay(t *testing.T, server, name, codec string) (*replay, error) {
	t.Helper()
	engine := &webrtc.MediaEngine{}
	r := &replay{t: t, tracks: map[uint8]*replayTrack{}}
	add := func(payloadType uint8, kind webrtc.RTPCodecType, c webrtc.RTPCodecCapability) error {
		r.tracks[payloadType] = &replayTrack{kind: kind, mime: c.MimeType, ready: make(chan struct{}), mid: strconv.Itoa(len(r.tracks))}
		return errors.Join(
			engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: c, PayloadType: webrtc.PayloadType(payloadType)}, kind),
			engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: midExtension}, kind))
	}
	format := map[string]string{"H264": "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}[codec]
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	if err := errors.Join(
		add(replayAudio, webrtc.RTPCodecTypeAudio, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"}),
		add(replayVideo, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecCapability{MimeType: "video/" + codec, ClockRate: 90000, SDPFmtpLine: format, RTCPFeedback: feedback}),
	); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		return nil, err
	}
	r.pc = pc
	for _, payloadType := range []uint8{replayAudio, replayVideo} {
		if _, err := pc.AddTransceiverFromTrack(r.tracks[payloadType], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			return nil, errors.Join(err, pc.Close())
		}
	}
	if err := r.connect(server + "/whip/" + name); err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	return r, nil
}

const midExtension = "urn:ietf:params:rtp-hdrext:sdes:mid"

// connect makes the exchange of WHIP and waits for the connection.
func (r *replay) connect(endpoint string) error {
	offer, err := r.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	connected := make(chan struct{})
	r.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	if err := r.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	response, err := http.Post(endpoint, "application/sdp", strings.NewReader(offer.SDP))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST %s: %s, %w: %s", endpoint, response.Status, err, answer)
	}
	if err := r.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}); err != nil {
		return err
	}
	session, err := response.Request.URL.Parse(response.Header.Get("Location"))
	if err != nil {
		return err
	}
	r.session = session.String()
	for _, wait := range []chan struct{}{connected, r.tracks[replayAudio].ready, r.tracks[replayVideo].ready} {
		select {
		case <-wait:
		case <-time.After(10 * time.Second):
			return errors.New("the publisher did not connect")
		}
	}
	return nil
}

// run sends the packets at their times, and leaves.
func (r *replay) run(list []replayed) error {
	start := time.Now()
	for _, p := range list {
		time.Sleep(time.Until(start.Add(p.at)))
		r.send(p.data)
	}
	time.Sleep(300 * time.Millisecond) // what is lost may be asked for
	return r.leave()
}

// leave ends the session.
func (r *replay) leave() error {
	request, err := http.NewRequest(http.MethodDelete, r.session, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		response.Body.Close()
	}
	return errors.Join(err, r.pc.Close())
}

// send sends one packet. An error means that the connection is gone, which shows.
func (r *replay) send(packet []byte) {
	if packet[1] == replayReport {
		report := &rtcp.SenderReport{}
		if err := report.Unmarshal(packet); err != nil {
			return
		}
		for _, t := range r.tracks {
			if t.first == report.SSRC && t.first != 0 {
				report.SSRC = uint32(t.context.SSRC())
			}
		}
		_ = r.pc.WriteRTCP([]rtcp.Packet{report})
		return
	}
	ssrc := binary.BigEndian.Uint32(packet[8:])
	t := r.trackOf(packet[1]&0x7f, ssrc)
	if t.first == 0 {
		t.first = ssrc
	}
	packet = append([]byte{}, packet...)
	if ssrc == t.first {
		binary.BigEndian.PutUint32(packet[8:], uint32(t.context.SSRC()))
	}
	_, _ = t.context.WriteStream().Write(t.withMID(packet))
}

// trackOf returns the track of a payload type, or of an SSRC if it has another one.
func (r *replay) trackOf(payloadType uint8, ssrc uint32) *replayTrack {
	if t := r.tracks[payloadType]; t != nil {
		return t
	}
	for _, t := range r.tracks {
		if t.first == ssrc {
			return t
		}
	}
	return r.tracks[replayAudio]
}

// withMID adds the header extension that names the section (RFC 9143 section 15.1),
// where the packet has no other one.
func (t *replayTrack) withMID(packet []byte) []byte {
	const extended, counted = 0x10, 0x0f
	for _, e := range t.context.HeaderExtensions() {
		if e.URI != midExtension || packet[0]&(extended|counted) != 0 {
			continue
		}
		with := append([]byte{packet[0] | extended}, packet[1:12]...)
		with = append(with, 0xbe, 0xde, 0, 1, byte(e.ID)<<4, t.mid[0], 0, 0) // RFC 8285 section 4.2
		return append(with, packet[12:]...)
	}
	return packet
}
