package rtp_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// scene is a broadcast whose clocks or network misbehave. Instants are on the
// publisher's true clock, on which each frame is made.
type scene struct {
	length time.Duration
	// clock is what a track's RTP clock shows at an instant; nil: it is right.
	clock func(k media.Kind, at time.Duration) time.Duration
	// arrives is when what was sent then arrives, at the earliest; nil: 20 ms later.
	arrives func(k media.Kind, at time.Duration) time.Duration
	// sent reports whether there is a frame; nil: always.
	sent func(k media.Kind, at time.Duration) bool
	// report is the instant that a sender report names for the RTP time of at; nil: there
	// are none.
	report func(k media.Kind, at time.Duration) (time.Duration, bool)
	// reports are the instants of sender reports; nil: each second.
	reports []time.Duration
	// reported is when the report of an instant arrives; nil: with what is sent then.
	reported func(k media.Kind, at time.Duration) time.Duration
}

const networkDelay = 20 * ms

// seen is a packet with the instant at which its frame was made.
type seen struct {
	made time.Duration
	*media.Packet
}

// off is how far the packet is placed from where it belongs.
func (s seen) off() time.Duration { return s.PTS - s.made - networkDelay }

// play runs the scene and returns all packets of both tracks in the order in which
// they were made.
func (sc scene) play(t *testing.T) (b *broadcast, packets map[media.Kind][]seen) {
	t.Helper()
	b = newBroadcast()
	type event struct {
		at time.Duration
		do func()
	}
	var events []event
	packets = map[media.Kind][]seen{}
	start := media.NTPTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for _, s := range []*source{b.video, b.audio} {
		kind, c := s.track.codec.Kind(), s.track.codec
		clock := func(at time.Duration) uint32 {
			if sc.clock != nil {
				return uint32(c.Ticks(sc.clock(kind, at))) + s.time
			}
			return uint32(c.Ticks(at)) + s.time
		}
		arrives := func(at time.Duration) time.Duration {
			if sc.arrives != nil {
				return sc.arrives(kind, at)
			}
			return at + networkDelay
		}
		write := func(at time.Duration, f media.Frame) {
			for _, r := range s.packets(f, arrives(at)) {
				r.Time = clock(at)
				events = append(events, event{r.Arrival, func() {
					if p := s.track.bySeq[s.writer.WritePacket(r)]; p != nil {
						packets[kind] = append(packets[kind], seen{at, p})
					}
				}})
			}
		}
		clip := sfutest.Clip{KeyEvery: 50, Size: 2000}
		n, step, sample := 0, sfutest.VideoInterval, clip.Video
		if kind == media.Audio {
			step, sample = sfutest.AudioInterval, clip.Audio
		}
		for at := time.Duration(0); at < sc.length; at += step {
			if sc.sent == nil || sc.sent(kind, at) {
				write(at, sample(n).Frame)
			}
			n++
		}
		instants := sc.reports
		for at := time.Second; sc.reports == nil && at < sc.length; at += time.Second {
			instants = append(instants, at)
		}
		if sc.report == nil {
			instants = nil
		}
		for _, at := range instants {
			instant, ok := sc.report(kind, at)
			if !ok {
				continue
			}
			ntp := start + uint64(instant.Seconds()*(1<<32))
			arrival := arrives(at)
			if sc.reported != nil {
				arrival = sc.reported(kind, at)
			}
			events = append(events, event{arrival, func() { s.writer.SyncClock(ntp, clock(at), arrival) }})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	for _, e := range events {
		e.do()
	}
	for _, p := range packets {
		slices.SortStableFunc(p, func(a, b seen) int { return cmp.Compare(a.made, b.made) })
	}
	return b, packets
}

// jump returns a clock of one kind that jumps at an instant.
func jump(kind media.Kind, when, by time.Duration) func(media.Kind, time.Duration) time.Duration {
	return func(k media.Kind, at time.Duration) time.Duration {
		if k == kind && at >= when {
			at += by
		}
		return at
	}
}

// truth is what a report of a sound publisher names.
func truth(_ media.Kind, at time.Duration) (time.Duration, bool) { return at, true }

// stall holds up what is sent from an instant on, for so long, and then lets it go at
// so many times its pace.
func stall(from, length time.Duration, pace int) func(media.Kind, time.Duration) time.Duration {
	return func(_ media.Kind, at time.Duration) time.Duration {
		arrival := at
		if at >= from {
			arrival = max(at, from+length+(at-from)/time.Duration(pace))
		}
		return arrival + networkDelay
	}
}

// TestRunawayClocks: wherever an RTP clock jumps, each packet before and after it is
// placed where it belongs, by the PTS and by the RTP time.
func TestRunawayClocks(t *testing.T) {
	const when = 5 * time.Second
	for _, reports := range []string{"without reports", "with reports"} {
		for _, kind := range []media.Kind{media.Video, media.Audio} {
			for _, by := range []time.Duration{
				600 * ms, time.Second, 5 * time.Second, 9 * time.Second, 12 * time.Second, 5 * time.Hour, 20 * time.Hour,
				-600 * ms, -time.Second, -5 * time.Second, -9 * time.Second, -12 * time.Second, -5 * time.Hour, -20 * time.Hour,
			} {
				for _, when := range []time.Duration{40 * ms, when, 6 * time.Second} { // the last is a keyframe
					t.Run(reports+" "+kind.String()+" "+by.String()+" at "+when.String(), func(t *testing.T) {
						sc := scene{length: 8 * time.Second, clock: jump(kind, when, by)}
						if reports == "with reports" {
							sc.report = truth
						}
						_, packets := sc.play(t)
						wantPlaced(t, packets, ms, nil)
					})
				}
			}
		}
	}
}

// wantPlaced fails if a packet that counts is further from where it belongs than most,
// or the RTP times say anything but the PTS do.
func wantPlaced(t *testing.T, packets map[media.Kind][]seen, most time.Duration, counts func(made time.Duration) bool) {
	t.Helper()
	for kind, all := range packets {
		if len(all) == 0 {
			t.Fatalf("there is no %v", kind)
		}
		for i, p := range all {
			if counts != nil && !counts(p.made) {
				continue
			}
			if p.off().Abs() > most {
				t.Fatalf("%v of %v is placed %v from there", kind, p.made, p.off())
			}
			if i == 0 {
				continue
			}
			before := all[i-1]
			codec := media.VP8
			if kind == media.Audio {
				codec = media.Opus
			}
			step := codec.Duration(int64(p.Time - before.Time))
			if p.made == before.made && step != 0 {
				t.Fatalf("the %v of %v is cut in two: its RTP time steps by %v", kind, p.made, step)
			}
			if p.made > before.made && p.Time <= before.Time || p.PTS < before.PTS {
				t.Fatalf("at %v %v's time steps back", p.made, kind)
			}
			if counts == nil && (step-(p.PTS-before.PTS)).Abs() > most+ms {
				t.Fatalf("at %v %v's RTP time steps by %v, and the PTS by %v", p.made, kind, step, p.PTS-before.PTS)
			}
		}
	}
}

// TestNoRunawayClock: what the network or a pause explains moves nothing.
func TestNoRunawayClock(t *testing.T) {
	tests := []struct {
		name string
		scene
	}{
		{"a stall of 2 s and a burst", scene{arrives: stall(5*time.Second, 2*time.Second, 1000)}},
		{"a stall of 2 s that drains slowly", scene{arrives: stall(5*time.Second, 2*time.Second, 2)}},
		{"a stall of 8 s", scene{arrives: stall(4*time.Second, 8*time.Second, 20)}},
		{"a stall right at the start", scene{arrives: stall(20*ms, 2*time.Second, 100)}},
		{"sound pauses", scene{sent: func(k media.Kind, at time.Duration) bool {
			return k == media.Video || at/(400*ms)%7 == 0 // DTX: a packet each 400 ms, and more
		}}},
		{"sound pauses for long", scene{sent: func(k media.Kind, at time.Duration) bool {
			return k == media.Video || at < 3*time.Second || at > 13*time.Second
		}}},
		{"a picture each 2 s", scene{sent: func(k media.Kind, at time.Duration) bool {
			return k == media.Audio || at%(2*time.Second) == 0
		}}},
		{"a picture each 10 s", scene{sent: func(k media.Kind, at time.Duration) bool {
			return k == media.Audio || at%(10*time.Second) == 0
		}}},
		{"the stall takes a half of what is sent with it", scene{
			arrives: stall(5*time.Second, 2*time.Second, 1000),
			sent:    func(_ media.Kind, at time.Duration) bool { return at < 5*time.Second || at > 6*time.Second },
		}},
		{"spikes", scene{arrives: func(_ media.Kind, at time.Duration) time.Duration {
			if at/(20*ms)%50 == 7 {
				at += 300 * ms
			}
			return at + networkDelay
		}}},
	}
	for _, tt := range tests {
		for _, report := range []func(media.Kind, time.Duration) (time.Duration, bool){nil, truth} {
			name := tt.name
			if report != nil {
				name += ", with reports"
			}
			t.Run(name, func(t *testing.T) {
				sc := tt.scene
				sc.length, sc.report = 24*time.Second, report
				_, packets := sc.play(t)
				wantPlaced(t, packets, 20*ms, nil) // a report that was held up as well is no better
			})
		}
	}
}

// TestClockStoodStill: while a capture stands still, and its clock with it, the hole
// is where it was, whether frames go on coming or not. Without another track to tell
// that it was not the network, a moment goes by until that is clear.
func TestClockStoodStill(t *testing.T) {
	const from = 5 * time.Second
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		for _, long := range []time.Duration{700 * ms, 3 * time.Second, 20 * time.Second} {
			clock := func(k media.Kind, at time.Duration) time.Duration {
				if k == kind && at > from {
					at = max(from, at-long)
				}
				return at
			}
			other := func(k media.Kind, at time.Duration) bool { return k != kind || at <= from || at > from+long }
			alone := func(k media.Kind, at time.Duration) bool {
				return other(k, at) && (k == kind || at < time.Second || at > from+long+time.Second)
			}
			wrong := func(_ media.Kind, at time.Duration) (time.Duration, bool) { return at, at < from || at > from+long }
			after := func(d time.Duration) func(time.Duration) bool {
				return func(made time.Duration) bool { return made <= from || made > from+long+d }
			}
			for name, tt := range map[string]struct {
				sent   func(media.Kind, time.Duration) bool
				report func(media.Kind, time.Duration) (time.Duration, bool)
				counts func(time.Duration) bool
				most   time.Duration
			}{
				"nothing comes":                         {other, nil, nil, ms},
				"nothing comes, with reports":           {other, wrong, nil, ms},
				"nothing comes of any track":            {alone, nil, after(watched), ms},
				"the same time again and again":         {nil, nil, after(0), 700 * ms},
				"the same time again, and what follows": {nil, nil, after(10 * time.Second), 100 * ms},
				"nothing comes, and reports go on as if it did": {other, func(k media.Kind, at time.Duration) (time.Duration, bool) {
					return clock(k, at), long > maxLie || k != kind
				}, nil, ms},
			} {
				t.Run(kind.String()+" "+long.String()+" "+name, func(t *testing.T) {
					sc := scene{length: from + long + 12*time.Second, clock: clock, sent: tt.sent, report: tt.report}
					_, packets := sc.play(t)
					wantPlaced(t, packets, tt.most, tt.counts)
				})
			}
		}
	}
}

// TestSenderQueue: a track that waits in its sender's queue while the other one does
// not begins like a clock that stood still. As soon as it is clear that it was the
// queue, all is where it belongs again.
func TestSenderQueue(t *testing.T) {
	const from = 5 * time.Second
	const catchUp = 450 * ms // what has been placed ahead until then
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		for _, long := range []time.Duration{600 * ms, time.Second, 2 * time.Second} {
			for _, pace := range []int{2, 4, 1000} {
				for _, report := range []func(media.Kind, time.Duration) (time.Duration, bool){nil, truth} {
					t.Run(fmt.Sprint(kind, " for ", long, " at ", pace, ", reports: ", report != nil), func(t *testing.T) {
						held := stall(from, long, pace)
						_, packets := scene{
							length: 20 * time.Second, report: report,
							arrives: func(k media.Kind, at time.Duration) time.Duration {
								if k == kind {
									return held(k, at)
								}
								return at + networkDelay
							},
						}.play(t)
						drained := from + long*time.Duration(pace)/time.Duration(pace-1)
						wantPlaced(t, packets, 50*ms, func(made time.Duration) bool {
							return made < from || made > drained+catchUp
						})
					})
				}
			}
		}
	}
}

// maxLie is by how much a report can be wrong and yet be possible: encoders take time.
const maxLie = time.Second

// watched is how long it takes until it is clear that a clock stood still.
const watched = 300 * ms

// TestReportsThatLie: reports that place a track seconds from where its arrival does
// move nothing, whenever they begin, and whichever track they are of. One that is
// right is used.
func TestReportsThatLie(t *testing.T) {
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		for _, by := range []time.Duration{-time.Hour, -5 * time.Second, -1500 * ms, 1500 * ms, 5 * time.Second, time.Hour} {
			for _, since := range []time.Duration{0, 5 * time.Second} {
				for _, until := range []time.Duration{since + 1500*ms, time.Hour} { // once, or always
					t.Run(kind.String()+" "+by.String()+" from "+since.String()+" to "+until.String(), func(t *testing.T) {
						b, packets := scene{length: 12 * time.Second, report: func(k media.Kind, at time.Duration) (time.Duration, bool) {
							if k == kind && at >= since && at < until {
								at += by
							}
							return at + time.Hour, true
						}}.play(t)
						wantPlaced(t, packets, ms, nil)
						if n := b.video.track.clock.Refused + b.audio.track.clock.Refused; n == 0 && until == time.Hour {
							t.Error("no bad report is counted")
						}
					})
				}
			}
		}
	}
}

// TestJumpKeepsEncoding: what reports have told of an encoder's delay counts after a
// jump, and after one that happens while the reports are on their way.
func TestJumpKeepsEncoding(t *testing.T) {
	const encoding = 300 * ms
	for _, by := range []time.Duration{3 * time.Second, -3 * time.Second, 700 * ms} {
		for _, when := range []time.Duration{30 * time.Second, 29900 * ms, 30100 * ms} {
			_, packets := scene{
				length: 40 * time.Second, clock: jump(media.Video, when, by), report: truth,
				arrives: func(k media.Kind, at time.Duration) time.Duration {
					if k == media.Video {
						at += encoding
					}
					return at + networkDelay
				},
			}.play(t)
			wantPlaced(t, packets, 20*ms, func(made time.Duration) bool { return made > 20*time.Second })
		}
	}
}

// TestJumpsAgainAndAgain: every jump is made up for, however soon the next one comes,
// in one direction or in both, and together with packets that are lost.
func TestJumpsAgainAndAgain(t *testing.T) {
	for _, every := range []time.Duration{40 * ms, 200 * ms, time.Second, 7 * time.Second} {
		for name, by := range map[string]func(n time.Duration) time.Duration{
			"ahead":        func(n time.Duration) time.Duration { return n * 700 * ms },
			"back":         func(n time.Duration) time.Duration { return -n * 900 * ms },
			"to and fro":   func(n time.Duration) time.Duration { return n % 2 * 5 * time.Second },
			"further away": func(n time.Duration) time.Duration { return n * n * time.Second },
		} {
			for _, loses := range []bool{false, true} {
				t.Run(name+" each "+every.String(), func(t *testing.T) {
					_, packets := scene{
						length: 20 * time.Second,
						clock: func(k media.Kind, at time.Duration) time.Duration {
							if k == media.Video {
								at += by(at / every)
							}
							return at
						},
						sent: func(k media.Kind, at time.Duration) bool {
							return !loses || k == media.Audio || at%every != 0 || at == 0
						},
					}.play(t)
					wantPlaced(t, packets, ms, nil)
				})
			}
		}
	}
}

// TestWrongRates: a clock of the wrong rate is named, with that rate, and made up for
// after some seconds; one that drifts as clocks do is not.
func TestWrongRates(t *testing.T) {
	for _, reports := range []string{"none", "right", "made up"} {
		for _, kind := range []media.Kind{media.Audio, media.Video} {
			for _, ppm := range []float64{-81250, -10000, -3000, -1000, -300, 0, 300, 1000, 3000, 88435, 150000} {
				t.Run(kind.String()+", reports: "+reports, func(t *testing.T) {
					clock := func(k media.Kind, at time.Duration) time.Duration {
						if k == kind {
							at += time.Duration(float64(at) * ppm / 1e6)
						}
						return at
					}
					sc := scene{length: 40 * time.Second, clock: clock, arrives: func(_ media.Kind, at time.Duration) time.Duration {
						return at + networkDelay + at*7919%(8*ms) // jitter
					}}
					switch reports {
					case "right":
						sc.report = truth
					case "made up": // out of the RTP time, as if its rate were right
						sc.report = func(k media.Kind, at time.Duration) (time.Duration, bool) { return clock(k, at), true }
					}
					b, packets := sc.play(t)
					of, other := b.audio.track.clock, b.video.track.clock
					if kind == media.Video {
						of, other = other, of
					}
					if wrong := math.Abs(ppm) > 1250; // 50 ms in 40 s
					of.WrongRate != wrong || other.WrongRate {
						t.Errorf("%.0f ppm: wrong %v, and that of the other track %v", ppm, of.WrongRate, other.WrongRate)
					}
					if math.Abs(of.SkewPPM-ppm) > 100 {
						t.Errorf("the clock is off by %.0f ppm, told are %.0f", ppm, of.SkewPPM)
					}
					if reports != "made up" {
						wantPlaced(t, packets, 100*ms, func(made time.Duration) bool { return made > 15*time.Second })
					}
				})
			}
		}
	}
}
