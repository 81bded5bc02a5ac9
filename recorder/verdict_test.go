package recorder

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/rtp"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

// TestVerdict: a recording is called clean when nothing is missing in it, whatever
// its publisher did not send, and not when something is.
func TestVerdict(t *testing.T) {
	const second, length = time.Second, 10 * time.Second
	always := func(time.Duration) bool { return true }
	between := func(from, to time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool { return at < from || at >= to }
	}
	for _, tt := range []struct {
		name         string
		video, audio func(at time.Duration) bool // whether it is sent
		lost         time.Duration               // pictures are missing before this one; 0: nowhere
		want         string
		early        string
		freezes      int
	}{
		{name: "all of it", video: always, audio: always, want: "clean"},
		{name: "a screen", video: func(at time.Duration) bool { return at%(2*second) == 0 }, audio: always, want: "clean", freezes: 4},
		{name: "a camera that is paused", video: between(3*second, 6*second), audio: always, want: "clean", freezes: 1},
		{name: "pictures lost", video: between(3*second, 3200*time.Millisecond), audio: always, lost: 3200 * time.Millisecond, want: "poor"},
		{name: "a picture lost", video: between(3*second, 3040*time.Millisecond), audio: always, lost: 3040 * time.Millisecond, want: "gaps"},
		{name: "pictures lost for long", video: between(3*second, 4*second), audio: always, lost: 4 * second, want: "poor", freezes: 1},
		{name: "a picture that ends", video: between(4*second, length), audio: always, want: "gaps", early: "video"},
		{name: "a picture that ends with the sound, nearly", video: between(9*second, length), audio: always, want: "clean"},
		{name: "half a second of silence", video: always, audio: between(3*second, 3500*time.Millisecond), want: "clean"},
		{name: "silence", video: always, audio: between(3*second, 5*second), want: "gaps"},
		{name: "a sound that ends", video: always, audio: between(4*second, length), want: "gaps", early: "audio"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				r, hub := newTest(t, dir)
				publish(t, hub, "a", both, func(b *broadcast) {
					for at := time.Duration(0); at < length; at += audioStep {
						if tt.audio(at) {
							b.audio(int(at/audioStep), at)
						}
						if at%videoStep == 0 && tt.video(at) {
							n := int(at / videoStep)
							b.writers["video"].WriteFrame(media.Frame{PTS: at, Sync: true, Gap: tt.lost > 0 && at == tt.lost, Data: sfutest.VP8Frame(n, true, 500)})
						}
						time.Sleep(audioStep)
					}
				})
				rec, _ := only(t, r, dir)
				q := rec.Quality
				if q.Verdict != tt.want || len(q.Freezes) != tt.freezes {
					t.Errorf("the verdict is %s, want %s; %+v; gaps %+v", q.Verdict, tt.want, *q, rec.Gaps)
				}
				early := ""
				if q.EndedEarly != nil {
					early = q.EndedEarly.Track
				}
				if early != tt.early {
					t.Errorf("%q ended early, want %q", early, tt.early)
				}
				for _, f := range q.Freezes {
					if f.Lost != (tt.lost > 0) {
						t.Errorf("%+v", f)
					}
				}
			})
		})
	}
}

// TestUnusable: a picture that was sent, but never one with which a decoder could begin,
// is missing in whole. One that was not sent is not.
func TestUnusable(t *testing.T) {
	for name, tt := range map[string]struct {
		sent bool
		want string
	}{"no keyframe": {true, "poor"}, "no picture": {false, "clean"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				r, hub := newTest(t, dir)
				publish(t, hub, "a", both, func(b *broadcast) {
					for at := time.Duration(0); at < 5*time.Second; at += audioStep {
						b.audio(int(at/audioStep), at)
						if tt.sent && at%videoStep == 0 {
							b.writers["video"].WriteFrame(media.Frame{PTS: at, Data: sfutest.VP8Frame(int(at/videoStep), false, 500)})
						}
						time.Sleep(audioStep)
					}
				})
				rec, _ := only(t, r, dir)
				if q := rec.Quality; q.Verdict != tt.want || tt.sent != slices.Equal(q.Unusable, []string{"video"}) {
					t.Errorf("the verdict is %s, want %s; %+v", q.Verdict, tt.want, *q)
				}
			})
		})
	}
}

// TestApart: picture and sound are apart when their sender reports are, and for as
// long as they are.
func TestApart(t *testing.T) {
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("a", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	list, err := pub.AddTracks(sfu.Packets, both...)
	if err != nil {
		t.Fatal(err)
	}
	writers, session := map[media.Kind]*rtptest.Writer{}, rtp.SyncContext{}
	for i, info := range both {
		writers[info.Kind()] = rtptest.NewWriter(info.Codec, list[i], &session)
	}
	sub, err := hub.Subscribe("a")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var inputs []*input
	for _, track := range tracks {
		inputs = append(inputs, &input{info: track.Info(), track: track})
	}
	c := newCollector(inputs)
	ntp := media.NTPTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	// Both tracks' first packets come at once, but the picture's was taken 500 ms before.
	send := func(seq uint16, at time.Duration) {
		for _, kind := range []media.Kind{media.Audio, media.Video} {
			early := time.Duration(kind-media.Audio) * 500 * time.Millisecond
			codec := tracks[0].Info().Codec
			for _, track := range tracks {
				if track.Info().Kind() == kind {
					codec = track.Info().Codec
				}
			}
			stamp := uint32(codec.Ticks(at))
			writers[kind].WritePacket(rtptest.Packet{Seq: seq, Time: stamp, Marker: true, Arrival: at, Payload: []byte{0xFC, 1, 2}})
			writers[kind].SyncClock(ntp+uint64((at-early).Seconds()*(1<<32)), stamp, at)
		}
	}
	for n := range 10 {
		at := time.Duration(n) * 20 * time.Millisecond
		send(uint16(n+1), at)
	}
	for at := time.Second; at <= 5*time.Second; at += time.Second {
		c.sample(at)
	}
	if c.apart != 4*time.Second {
		t.Errorf("apart for %v of 4 s", c.apart)
	}
}
