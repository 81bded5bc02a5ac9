package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/recorder"
)

// recordFlags are the flags of the recorder.
func recordFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "record", Value: true, EnvVars: []string{"WEIR_RECORD"},
			Usage: "record streams, unless their publisher says otherwise"},
		&cli.StringFlag{Name: "record-path", Value: recorder.DefaultPath, EnvVars: []string{"WEIR_RECORD_PATH"},
			Usage: "`PATH` of a recording below the folder, without suffix, of {name}, {tenant}, {user}, {stream}, {start}, {date} and {id}"},
		&cli.StringFlag{Name: "record-rotate", EnvVars: []string{"WEIR_RECORD_ROTATE"}, DefaultText: "never",
			Usage: "begin a new file after this `TIME OR SIZE`, at the next keyframe: 1h, 500MB, or both with a comma"},
		&cli.DurationFlag{Name: "record-sync", Value: time.Second, EnvVars: []string{"WEIR_RECORD_SYNC"},
			Usage: "force recordings to the disk every so often (`TIME`); 0 only at their end"},
		&cli.StringFlag{Name: "record-min-free", EnvVars: []string{"WEIR_RECORD_MIN_FREE"}, DefaultText: "the smaller one of 5% and 1GiB",
			Usage: "begin no recording when less than this `SPACE` of the disk is free: 5%, 500MB; 0 for no limit"},
		&cli.StringFlag{Name: "record-keep", EnvVars: []string{"WEIR_RECORD_KEEP"}, DefaultText: "all",
			Usage: "delete recordings that ended longer ago than this, or the oldest beyond that size in all (`TIME OR SIZE`): 30d, 100GB, or both with a comma"},
	}
}

// recorderConfig reads the flags of the recorder.
func recorderConfig(c *cli.Context) (r recorder.Config, err error) {
	r.Path = c.String("record-path")
	if r.RotateAfter, r.RotateBytes, err = timeOrSize("--record-rotate", c.String("record-rotate")); err != nil {
		return r, err
	}
	if r.RetainAge, r.RetainBytes, err = timeOrSize("--record-keep", c.String("record-keep")); err != nil {
		return r, err
	}
	if given := c.String("record-min-free"); given != "" {
		if r.MinFree, err = recorder.ParseSpace(given); err != nil {
			return r, fmt.Errorf("--record-min-free is %q; it must be a share or a size, such as 5%% or 500MB", given)
		}
		if r.MinFree == (recorder.Space{}) {
			r.MinFree.Bytes = 1 // nothing would be the default
		}
	}
	switch r.SyncInterval = c.Duration("record-sync"); {
	case r.SyncInterval < 0:
		return r, fmt.Errorf("--record-sync is %v; it must be a time such as 1s, or 0", r.SyncInterval)
	case r.SyncInterval == 0:
		r.SyncInterval = -1
	}
	return r, nil
}

// leastSize is the least size that is taken: what is less was a slip.
const leastSize = 1_000_000

// timeOrSize reads "1h", "500MB" or "1h,500MB".
func timeOrSize(flag, given string) (d time.Duration, bytes int64, err error) {
	for _, text := range strings.Split(given, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if t, ok := parseTime(text); ok && t > 0 {
			d = t
			continue
		}
		n, err := recorder.ParseBytes(text)
		// "30" is most likely days: 30 bytes make no sense.
		if err != nil || n < leastSize || '0' <= text[len(text)-1] && text[len(text)-1] <= '9' {
			return 0, 0, fmt.Errorf("%s is %q; it must be a time such as 1h or 30d, a size such as 500MB, or both with a comma", flag, given)
		}
		bytes = n
	}
	return d, bytes, nil
}

// parseTime reads what time.ParseDuration does, and days.
func parseTime(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		return time.Duration(n * 24 * float64(time.Hour)), err == nil && n < 100_000
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}
