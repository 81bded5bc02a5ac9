package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"weir/cmd/weir/load"
)

// joinTime is the default time between two viewers that join.
const joinTime = 20 * time.Millisecond

func loadCommand() *cli.Command {
	return &cli.Command{
		Name:  "load",
		Usage: "publish to and watch a WHIP and WHEP server with many viewers, and tell what arrives, when, and what it costs",
		Description: "Publishes synthetic VP8 and Opus by WHIP, watches it by WHEP, and measures once all viewers are there. Any server will do.\n" +
			"Latency is from a publisher's socket to a viewer's, by the kernel's receive stamps. Publishers and viewers are this\n" +
			"one program, so there is one clock; should the system's clock be set meanwhile, latencies are wrong. Viewers ask for\n" +
			"no lost packets again: what is lost on the way to them counts. The exit status is 1 when an expectation is missed, or\n" +
			"when not all viewers and streams were there to the end. Ctrl-C ends the measurement and reports what there is, but then no\n" +
			"expectation counts as met.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "whip", Value: "http://127.0.0.1:8080/whip/{name}", Usage: "publish to this `URL`, where {name} is the stream's name"},
			&cli.StringFlag{Name: "whep", Value: "http://127.0.0.1:8080/whep/{name}", Usage: "watch at this `URL`"},
			&cli.StringFlag{Name: "name", Value: "load", Usage: "streams are called `WORD`-1, WORD-2 and so on"},
			&cli.StringFlag{Name: "token", EnvVars: []string{"WEIR_LOAD_TOKEN"}, Usage: "bearer `TOKEN` of all requests; may contain {name}"},
			&cli.IntFlag{Name: "streams", Value: 1, Usage: "`NUMBER` of streams"},
			&cli.IntFlag{Name: "viewers", Value: 10, Usage: "`NUMBER` of viewers of each stream"},
			&cli.IntFlag{Name: "joins", Usage: "in place of viewers that stay, let this `NUMBER` of them join and leave, a few at a time, and tell what that costs the server (--pid)"},
			&cli.DurationFlag{Name: "ramp", Usage: "`TIME` over which the viewers come", DefaultText: joinTime.String() + " for each viewer"},
			&cli.DurationFlag{Name: "duration", Value: 10 * time.Second, Usage: "`TIME` to measure, from when all viewers are there"},
			&cli.IntFlag{Name: "fps", Value: 30, Usage: "pictures a second"},
			&cli.StringFlag{Name: "bitrate", Value: "2.5M", Usage: "`BITS` of video a second, such as 2.5M or 800k"},
			&cli.DurationFlag{Name: "keyframe-interval", Value: 2 * time.Second, Usage: "`TIME` from one keyframe, of four times a frame's size, to the next"},
			&cli.StringFlag{Name: "keyframe", Usage: "send the VP8 frame in this `FILE` as each keyframe, which servers that look at pictures can decode", DefaultText: "noise"},
			&cli.StringFlag{Name: "audio-bitrate", Value: "32k", Usage: "`BITS` of audio a second, 50 packets; 0 for none"},
			&cli.BoolFlag{Name: "answer-pli", Value: true, Usage: "publishers send a keyframe when they are asked for one"},
			&cli.BoolFlag{Name: "send-pli", Usage: "viewers ask for a keyframe each second until they have one"},
			&cli.IntFlag{Name: "decrypt-every", Value: 20, Usage: "authenticate and decrypt one of so `MANY` packets whole; of the others only the first bytes are read"},
			&cli.IntFlag{Name: "pid", Usage: "measure CPU and memory of the server, process `PID` of this machine"},
			&cli.StringFlag{Name: "profiles", Usage: "count the goroutines of the server, whose --admin-addr is at this `URL`"},
			&cli.StringFlag{Name: "expect", Usage: "`BOUNDS` such as 'loss<0.1%,p99<20ms', of " + load.MetricNames()},
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object in place of the table"},
		},
		Action: runLoad,
	}
}

// runLoad runs the load generator until it is through, or SIGINT or SIGTERM.
func runLoad(c *cli.Context) error {
	if extra := c.Args().First(); extra != "" {
		return fmt.Errorf("load takes flags only, not %q; 'weir load --help' lists them", extra)
	}
	config, err := loadConfig(c)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	report, err := load.Run(ctx, config)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		encoder := json.NewEncoder(c.App.Writer)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false) // expectations have < and >
		err = encoder.Encode(report)
	} else {
		err = report.WriteTable(c.App.Writer)
	}
	if err != nil {
		return err
	}
	if missed := report.Missed(); missed != "" {
		return errors.New(missed)
	}
	return nil
}

func loadConfig(c *cli.Context) (load.Config, error) {
	config := load.Config{
		WHIP: c.String("whip"), WHEP: c.String("whep"), Name: c.String("name"), Token: c.String("token"),
		Streams: c.Int("streams"), Viewers: c.Int("viewers"), Joins: c.Int("joins"), Ramp: c.Duration("ramp"), Duration: c.Duration("duration"),
		FrameRate: c.Int("fps"), KeyframeInterval: c.Duration("keyframe-interval"),
		AnswerPLI: c.Bool("answer-pli"), SendPLI: c.Bool("send-pli"), DecryptEvery: c.Int("decrypt-every"), PID: c.Int("pid"), Profiles: c.String("profiles"),
	}
	if !c.IsSet("ramp") {
		config.Ramp = time.Duration(config.Streams*config.Viewers) * joinTime
	}
	if !c.Bool("json") {
		config.Progress = func(text string) { fmt.Fprintln(c.App.ErrWriter, text) }
	}
	var err error
	if file := c.String("keyframe"); file != "" {
		if config.Keyframe, err = os.ReadFile(file); err != nil {
			return config, fmt.Errorf("--keyframe %s cannot be read (%w): name another file", file, rootCause(err))
		}
	}
	if config.Bitrate, err = parseRate("bitrate", c.String("bitrate")); err != nil {
		return config, err
	}
	if config.AudioBitrate, err = parseRate("audio-bitrate", c.String("audio-bitrate")); err != nil {
		return config, err
	}
	if config.Expect, err = load.ParseExpect(c.String("expect")); err != nil {
		return config, fmt.Errorf("--expect: %w", err)
	}
	return config, config.Validate()
}

// parseRate reads bits a second: a number, with k or M for thousands or millions.
func parseRate(flag, text string) (int, error) {
	factor, digits := 1.0, text
	if number, ok := strings.CutSuffix(text, "k"); ok {
		factor, digits = 1e3, number
	} else if number, ok := strings.CutSuffix(text, "M"); ok {
		factor, digits = 1e6, number
	}
	value, err := strconv.ParseFloat(digits, 64)
	if rate := value * factor; err == nil && rate >= 0 && rate <= math.MaxInt32 {
		return int(rate), nil
	}
	return 0, fmt.Errorf("--%s is %q; it must be bits a second, such as 2500000, 800k or 2.5M", flag, text)
}
