package e2e

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/signaling/admin"
)

var (
	casesFolder = flag.String("cases", "", "a folder with a folder for each case, which TestCases is to run; its own without")
	casesOnly   = flag.String("case", "", "of them only those whose name contains this")
	casesPlayed = flag.Bool("players", false, "play the recordings of its own cases in browsers and VLC as well")
)

// TestCases runs inputs from the field, each against a fresh server, and prints which
// come out right, which do not, and of which it is not known because the machine was
// too busy to measure. Only the first pass. A case is a folder: its name tells what is
// right (caseKinds), its files are the inputs. Without a folder of cases it makes one
// that it knows.
func TestCases(t *testing.T) {
	folder := *casesFolder
	if folder == "" {
		folder = ownCases(t)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	shared := &caseTools{t: t, plays: *casesFolder != "" || *casesPlayed}
	var report []string
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() || slices.Contains(noCases, name) || !strings.Contains(name, *casesOnly) {
			continue
		}
		c := &caseRun{caseTools: shared, folder: filepath.Join(folder, name)}
		t.Run(name, func(t *testing.T) {
			c.t = t
			c.check(name)
			c.over = true
		})
		report = append(report, c.verdictOf()+"  "+name+"\n"+strings.Join(c.notes, ""))
	}
	if len(report) == 0 {
		t.Fatalf("%s holds no case", folder)
	}
	fmt.Print(strings.Join(report, ""))
}

// noCases are folders that hold no input: programs that use or attack a server.
var noCases = []string{"replay", "faults"}

// caseTools is what all cases share.
type caseTools struct {
	t     *testing.T
	plays bool // files are played in each player that there is

	browser   *chrome
	seconds   int // of the file that is being played
	reference reference
	players   []*player // made when a case needs them
}

// chrome returns the browser of all cases.
func (s *caseTools) chrome() chrome {
	if s.browser == nil {
		c := startChrome(s.t)
		s.browser = &c
	}
	return *s.browser
}

// caseRun is one case.
type caseRun struct {
	*caseTools
	t      *testing.T
	folder string
	notes  []string
	faults int // how much was found wrong
	busy   int // how much could not be measured
	over   bool
}

// verdictOf returns the word for what came out.
func (c *caseRun) verdictOf() string {
	switch {
	case c.faults > 0, !c.over:
		return "WRONG"
	case c.busy > 0:
		return "BUSY "
	}
	return "right"
}

// note keeps a figure for the report.
func (c *caseRun) note(format string, args ...any) {
	c.t.Helper()
	line := fmt.Sprintf(format, args...)
	c.t.Log(line)
	c.notes = append(c.notes, "         "+line+"\n")
}

// wrong says that something is not as it should be.
func (c *caseRun) wrong(format string, args ...any) {
	c.t.Helper()
	c.t.Errorf(format, args...)
	c.faults++
	c.notes = append(c.notes, "  wrong: "+fmt.Sprintf(format, args...)+"\n")
}

// unmeasured says that it is not known whether something is as it should be.
func (c *caseRun) unmeasured(format string, args ...any) {
	c.t.Helper()
	line := "could not be measured, machine busy: " + fmt.Sprintf(format, args...)
	c.t.Error(line)
	c.busy++
	c.notes = append(c.notes, "         "+line+"\n")
}

// files returns the inputs of a type.
func (c *caseRun) files(suffix string) []string {
	found, err := filepath.Glob(filepath.Join(c.folder, "*"+suffix))
	if err != nil {
		c.t.Fatal(err)
	}
	return found
}

// check runs the case with each of its inputs.
func (c *caseRun) check(name string) {
	kind, known := caseKinds[name]
	if !known {
		kind = caseKind{packets: decodesInSync}
	}
	inputs := 0
	each := func(suffix string, run func(c *caseRun, file string)) {
		if run == nil {
			return
		}
		for _, file := range c.files(suffix) {
			inputs++
			run(c, file)
		}
	}
	each(".rtp", kind.packets)
	each(".sdp", kind.offer)
	each(".html", kind.page)
	each(".mkv", kind.upload)
	each(".webm", kind.upload)
	each(".mjs", kind.script)
	if inputs == 0 {
		c.wrong("no input that is known")
	}
}

// broadcast is what became of an input that was published.
type broadcast struct {
	input      []replayed
	server     *testServer
	stream     string
	recordings []admin.Recording
}

// seconds is how long the input is.
func (b *broadcast) seconds() int { return int(b.input[len(b.input)-1].at.Seconds()) }

// pictures is how many pictures the input has.
func (b *broadcast) pictures() int {
	times := map[uint32]bool{}
	for _, p := range b.input {
		if p.data[1]&0x7f == replayVideo {
			times[binary.BigEndian.Uint32(p.data[4:])] = true
		}
	}
	return len(times)
}

// moment is what is to be done while an input is sent.
type moment struct {
	at time.Duration
	do func(b *broadcast)
}

// publish sends an input to a fresh server, and does something meanwhile.
func (c *caseRun) publish(file string, meanwhile ...moment) *broadcast {
	c.t.Helper()
	list, err := readReplay(file)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.send(list, replayCodec(file), meanwhile...)
}

// send is publish for packets that have been read.
func (c *caseRun) send(list []replayed, codec string, meanwhile ...moment) *broadcast {
	c.t.Helper()
	b := &broadcast{input: list, server: startServer(c.t), stream: "case"}
	r, err := startReplay(c.t, b.server.url, b.stream, codec)
	if err != nil {
		c.t.Fatal(err)
	}
	var sending sync.WaitGroup
	var failed error
	start := time.Now()
	sending.Go(func() { failed = r.run(list) })
	for _, m := range meanwhile {
		time.Sleep(time.Until(start.Add(m.at)))
		m.do(b)
	}
	sending.Wait()
	if failed != nil {
		c.wrong("the publisher's session ended: %v", failed)
	}
	waitFinished(c.t, b.server.url, b.stream)
	b.recordings = get[recordingList](c.t, b.server.url+"/api/v1/recordings?stream="+b.stream).Recordings
	return b
}

// one returns the only recording and its file.
func (c *caseRun) one(b *broadcast) (admin.Recording, string) {
	c.t.Helper()
	if len(b.recordings) != 1 {
		c.wrong("there are %d recordings, not one", len(b.recordings))
	}
	r := b.recordings[0]
	files, err := filepath.Glob(filepath.Join(b.server.dataDir, "recordings", b.stream, "*-"+r.ID+r.Suffix()))
	if err != nil || len(files) != 1 {
		c.t.Fatalf("files of the recording: %v, %v", files, err)
	}
	q := r.Quality
	c.note("%d ms, %s: gaps %+v, lost %d, dropped %d, cut off %d, filler %d ms, clocks %+v", r.DurationMS, q.Verdict, r.Gaps, q.Lost, q.Dropped, q.CutOff, q.FillerMS, q.Clocks)
	return r, files[0]
}

// verdict checks what a recording says of itself.
func (c *caseRun) verdict(r admin.Recording, want string) {
	c.t.Helper()
	if r.Quality.Verdict != want {
		c.wrong("the verdict is %q, not %q: %+v, gaps %+v", r.Quality.Verdict, want, *r.Quality, r.Gaps)
	}
}

// decodes checks that every frame of a file can be decoded, and how many pictures
// there are.
func (c *caseRun) decodes(file string, least int) {
	c.t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-err_detect", "explode", "-xerror", "-i", file,
		"-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		c.wrong("ffmpeg cannot decode the recording: %v %s", err, out)
	}
	out, err = exec.Command("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file).Output()
	if err != nil {
		c.t.Fatalf("ffprobe: %v", err)
	}
	if n := int(parsed(c.t, strings.Trim(string(out), ",\n"))); n < least {
		c.wrong("%d pictures can be decoded, not %d", n, least)
	}
}

// together checks that flash and beep of a recording are within a limit, in
// milliseconds, at each beep, as it is decoded and in each player that there is.
func (c *caseRun) together(file string, seconds int, limit float64) {
	c.t.Helper()
	c.prepare()
	own := fileMarks(c.t, file)
	base := median(c.reference.own.apart())
	c.note("decoded: flash and beep %.0f ms apart at most, %d beeps", own.worst(base), len(own.apart()))
	if why := own.check(seconds, base, limit); why != "" {
		c.wrong("decoded: %s", why)
	}
	c.seconds = seconds
	for _, p := range c.players {
		m, o, why := p.judge(c.reference, file, own.Flashes, seconds, limit)
		c.note("%s: flash and beep %.0f ms apart at most, %d beeps (it adds %.0f ms)", p.name, m.worst(p.base), len(m.apart()), p.base)
		switch o {
		case wrong:
			c.wrong("%s: %s", p.name, why)
		case unknown:
			c.unmeasured("%s: %s", p.name, why)
		}
	}
}

// prepare makes the reference, and the players that it is for.
func (c *caseRun) prepare() {
	c.t.Helper()
	if c.reference.file != "" {
		return
	}
	t := c.caseTools.t
	// Its sound has no samples to be skipped at the start (pre-skip), as no recording of
	// RTP has: Chromium is 20 ms off where there are some.
	var b bytes.Buffer
	flashingFrames(t, referenceSeconds).write(t, &b, func(bool, time.Duration) bool { return false })
	c.reference.file = filepath.Join(t.TempDir(), "reference.webm")
	if err := os.WriteFile(c.reference.file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	c.reference.own = fileMarks(t, c.reference.file)
	if why := c.reference.own.check(referenceSeconds, 0, 15); why != "" {
		t.Fatalf("the reference is not right as it is decoded: %s", why)
	}
	if !c.plays {
		return
	}
	startSound(t)
	s := newStage(t)
	seconds := func() int { return max(c.caseTools.seconds, referenceSeconds) }
	c.players = []*player{inChromium(t, s, c.chrome, seconds), inFirefox(t, s, seconds), inVLC(t)}
}

// ownCases makes a folder with cases whose outcome is known: flash and beep each second,
// and no sound between them, as of an encoder that sends nothing in silence; and files
// with holes in their sound, each of another kind.
func ownCases(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	write := func(name string, raw []byte) {
		if err := os.MkdirAll(filepath.Join(folder, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	quiet := func(at time.Duration) bool { // no beep, nor the begin of one
		return at%time.Second >= 300*time.Millisecond && at%time.Second < 960*time.Millisecond
	}
	write("sound-with-holes/flashing.rtp", flashingPackets(t, 4, func(at time.Duration) bool {
		return quiet(at) && at%(400*time.Millisecond) >= 20*time.Millisecond
	}))
	const seconds = 8
	clip := flashingFrames(t, seconds)
	between := func(at, from, to time.Duration) bool { return at >= from && at < to }
	for name, lacks := range map[string]func(sound bool, at time.Duration) bool{
		"pauses": func(sound bool, at time.Duration) bool {
			return sound && quiet(at) && at%(400*time.Millisecond) >= 20*time.Millisecond
		},
		"lost": func(sound bool, at time.Duration) bool {
			return sound && quiet(at) && at%(340*time.Millisecond) < 60*time.Millisecond
		},
		"muted": func(sound bool, at time.Duration) bool {
			return sound && between(at, 2310*time.Millisecond, 4890*time.Millisecond)
		},
		"late": func(sound bool, at time.Duration) bool { return sound && at < 2470*time.Millisecond },
		"away": func(sound bool, at time.Duration) bool {
			return between(at, 2330*time.Millisecond, 3970*time.Millisecond)
		},
	} {
		var b bytes.Buffer
		clip.write(t, &b, lacks)
		write("repaired/"+name+".webm", b.Bytes())
	}
	return folder
}

// flashingFrames returns the frames of a flashingClip, in the order of their times.
func flashingFrames(t *testing.T, seconds int) *clipFrames {
	t.Helper()
	frames := &clipFrames{}
	r := read.NewReader(frames, read.Config{})
	if err := r.Push([]byte(fileText(t, flashingClip(t, seconds)))); err != nil {
		t.Fatal(err)
	}
	_ = r.Close() // a file that is whole
	slices.SortStableFunc(frames.list, func(a, b read.Frame) int { return int(a.Time - b.Time) })
	return frames
}

// flashingPackets returns the packets of a flashingClip, without the sound of some
// instants.
func flashingPackets(t *testing.T, seconds int, silent func(at time.Duration) bool) []byte {
	t.Helper()
	frames := flashingFrames(t, seconds)
	vp8, _ := codec.For(media.VP8)
	packetizer := vp8.NewPacketizer(1)
	var raw []byte
	sound := uint16(0)
	reported := time.Duration(0)
	for _, f := range frames.list {
		for ; reported <= f.Time; reported += time.Second {
			raw = appendReplay(raw, reported, senderReport(1, media.VP8, reported))
			raw = appendReplay(raw, reported, senderReport(2, media.Opus, reported))
		}
		if frames.codecs[f.Track] == media.Opus {
			if !silent(f.Time) {
				sound++
				raw = appendReplay(raw, max(0, f.Time), rtpPacket(replayAudio, false, sound, uint32(media.Opus.Ticks(f.Time)), 2, f.Data))
			}
			continue
		}
		packetizer.Packetize(&media.Frame{PTS: f.Time, Sync: f.Key, Data: f.Data}, func(p media.Packet) {
			raw = appendReplay(raw, max(0, f.Time), rtpPacket(replayVideo, p.Marker, uint16(p.Seq), uint32(media.VP8.Ticks(f.Time)), 1, p.Payload))
		})
	}
	return raw
}

// senderReport returns a report (RFC 3550 section 6.4.1) for an instant of a clip.
func senderReport(ssrc uint32, codec media.Codec, at time.Duration) []byte {
	taken := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(at)
	raw, err := (&rtcp.SenderReport{SSRC: ssrc, NTPTime: media.NTPTime(taken), RTPTime: uint32(codec.Ticks(at))}).Marshal()
	if err != nil {
		panic(err) // it has no list that could be too long
	}
	return raw
}

// rtpPacket returns a packet without extensions (RFC 3550 section 5.1).
func rtpPacket(payloadType uint8, marker bool, seq uint16, at, ssrc uint32, payload []byte) []byte {
	if marker {
		payloadType |= 0x80
	}
	p := []byte{0x80, payloadType}
	p = binary.BigEndian.AppendUint16(p, seq)
	p = binary.BigEndian.AppendUint32(p, at)
	p = binary.BigEndian.AppendUint32(p, ssrc)
	return append(p, payload...)
}

// clipFrames is a read.Receiver that keeps everything.
type clipFrames struct {
	codecs []media.Codec
	list   []read.Frame
}

// write writes a file of the frames, but for those that it lacks.
func (c *clipFrames) write(t *testing.T, to *bytes.Buffer, lacks func(sound bool, at time.Duration) bool) {
	t.Helper()
	var tracks []ebml.TrackEntry
	for _, codec := range c.codecs {
		tracks = append(tracks, ebml.TrackEntry{Codec: codec, Name: codec.Kind().String()})
	}
	w, err := webm.NewWriter(unfinished{to}, webm.Config{}, tracks)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.list {
		if f.Time < 0 || lacks(c.codecs[f.Track] == media.Opus, f.Time) {
			continue
		}
		if err := w.WriteFrame(f.Track, webm.Block{Time: f.Time, Sync: f.Key, Data: f.Data}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// unfinished is a webm.File that is only appended to.
type unfinished struct{ *bytes.Buffer }

// WriteAt implements webm.File.
func (unfinished) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil } // the size in the header, which may be missing

// Header implements read.Receiver.
func (c *clipFrames) Header(h read.Header) error {
	for _, track := range h.Tracks {
		c.codecs = append(c.codecs, track.Codec)
	}
	return nil
}

// Frame implements read.Receiver.
func (c *clipFrames) Frame(f read.Frame) error {
	c.list = append(c.list, f)
	return nil
}

// Damage implements read.Receiver.
func (*clipFrames) Damage(ebml.Damage) {}
