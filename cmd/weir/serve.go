package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"weir/signaling"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run the server",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "http-addr", Value: "127.0.0.1:8080", EnvVars: []string{"WEIR_HTTP_ADDR"},
				Usage: "`HOST:PORT` for pages, signaling and the API; an empty host means all addresses, port 0 a free port"},
			&cli.StringFlag{Name: "rtc-addr", EnvVars: []string{"WEIR_RTC_ADDR"},
				Usage:       "`HOST:PORT` for media, UDP, one port for everything",
				DefaultText: "port 8081 on loopback if --http-addr is there, else on all addresses"},
			&cli.StringFlag{Name: "admin-addr", EnvVars: []string{"WEIR_ADMIN_ADDR"}, DefaultText: "off",
				Usage: "`HOST:PORT` for profiles of the program (/debug/pprof/); keep it on loopback"},
			&cli.StringFlag{Name: "base-path", EnvVars: []string{"WEIR_BASE_PATH"}, DefaultText: "none",
				Usage: "`PATH` below which a reverse proxy serves it, such as /media, whether the proxy takes that off or leaves it"},
			&cli.StringFlag{Name: "trusted-proxies", EnvVars: []string{"WEIR_TRUSTED_PROXIES"}, DefaultText: "none",
				Usage: "`ADDRESSES` or networks, with commas, whose X-Forwarded-For, -Proto, -Host and -Prefix count"},
			&cli.StringFlag{Name: "data-dir", Value: "./weir-data", EnvVars: []string{"WEIR_DATA_DIR"},
				Usage: "`FOLDER` for recordings; made if it does not exist"},
			&cli.DurationFlag{Name: "grace", Value: 15 * time.Second, EnvVars: []string{"WEIR_GRACE"},
				Usage: "keep a stream, its viewers and its recording for this `TIME` when its publisher's connection is lost; 0 ends it at once"},
			&cli.DurationFlag{Name: "keyframe-interval", Value: 10 * time.Second, EnvVars: []string{"WEIR_KEYFRAME_INTERVAL"},
				Usage: "ask a WebRTC publisher for a keyframe when it has sent none for about this `TIME`, so that recordings can be sought in; 0 never"},
			&cli.BoolFlag{Name: "posters", Value: true, EnvVars: []string{"WEIR_POSTERS"},
				Usage: "take a picture of each live stream now and then, for lists and previews of links; those that publishers send are kept anyway"},
			&cli.StringFlag{Name: "log-level", Value: "info", EnvVars: []string{"WEIR_LOG_LEVEL"},
				Usage: "log from this `LEVEL` on: debug, info, warn or error"},
			&cli.StringFlag{Name: "log-format", Value: "text", EnvVars: []string{"WEIR_LOG_FORMAT"},
				Usage: "`FORMAT` of the log: text or json"},
			&cli.StringFlag{Name: configFlag, EnvVars: []string{"WEIR_CONFIG"},
				Usage: "YAML `FILE` with these flags, without dashes; what is given here or in the environment wins"},
		}, recordFlags()),
		Before: readSettings,
		Action: func(c *cli.Context) error { return originsOf(c).locate(serve(c)) },
	}
}

// serve runs the server until SIGINT or SIGTERM. A second signal ends the
// program at once.
func serve(c *cli.Context) error {
	if extra := c.Args().First(); extra == "true" || extra == "false" {
		return fmt.Errorf("serve takes flags only, not %q; a switch is given as --record=%s", extra, extra)
	} else if extra != "" {
		return fmt.Errorf("serve takes flags only, not %q; 'weir serve --help' lists them", extra)
	}
	if c.Duration("grace") < 0 {
		return fmt.Errorf("--grace is %v; it must be a time such as 15s, or 0", c.Duration("grace"))
	}
	if every := c.Duration("keyframe-interval"); every < 0 || every > 0 && every < time.Second {
		return fmt.Errorf("--keyframe-interval is %v; it must be a second or more, such as 10s, or 0 to ask for none", every)
	}
	recording, err := recorderConfig(c)
	if err != nil {
		return err
	}
	proxies, err := proxiesOf(c)
	if err != nil {
		return err
	}
	saveMemory()
	log, err := newLogger(c.App.ErrWriter, c.String("log-level"), c.String("log-format"))
	if err != nil {
		return err
	}
	for _, sentence := range unknownVariables(os.Environ(), c.App.Commands) {
		log.Warn(sentence)
	}
	// From before the first line is printed: a script that waits for that line may end
	// the program at once.
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // from then on a second signal has its usual effect
	a, err := newApp(c.Context, appConfig{
		httpAddr: c.String("http-addr"), rtcAddr: c.String("rtc-addr"), dataDir: c.String("data-dir"), adminAddr: c.String("admin-addr"),
		proxies: proxies, record: c.Bool("record"), sentPosters: !c.Bool("posters"), grace: c.Duration("grace"), keyframes: c.Duration("keyframe-interval"),
		recording: recording, version: version(), log: log,
	})
	if err != nil {
		return err
	}
	a.announce(c.App.Writer)
	return a.serve(ctx)
}

// proxiesOf is what the flags say of what stands in front of the server.
func proxiesOf(c *cli.Context) (p signaling.Proxies, err error) {
	if p.BasePath, err = signaling.ParseBasePath(c.String("base-path")); err != nil {
		return p, fmt.Errorf("--base-path is %q: %w", c.String("base-path"), err)
	}
	if p.Trusted, err = signaling.ParseTrusted(c.String("trusted-proxies")); err != nil {
		return p, fmt.Errorf("--trusted-proxies is %q: %w", c.String("trusted-proxies"), err)
	}
	return p, nil
}

func newLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level is %q; it must be debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	default:
		return nil, fmt.Errorf("--log-format is %q; it must be text or json", format)
	}
}

// explain makes one sentence of what kept the server from starting.
func explain(what, value string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s %s is in use by another program: stop that one, or choose another port", what, value)
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s %s cannot be written to or opened (%w): choose another, or change its permissions", what, value, rootCause(err))
	default:
		return fmt.Errorf("%s %s cannot be used (%w): choose another", what, value, rootCause(err))
	}
}

// rootCause is the innermost error of err: what the system said, without the names
// of the calls that led to it.
func rootCause(err error) error {
	for {
		switch wrapper := err.(type) {
		case interface{ Unwrap() error }:
			inner := wrapper.Unwrap()
			if inner == nil {
				return err
			}
			err = inner
		case interface{ Unwrap() []error }:
			err = wrapper.Unwrap()[0] // none of ours is empty
		default:
			return err
		}
	}
}
