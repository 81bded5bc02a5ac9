package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"weir/recorder"
	"weir/recorder/mend"
	"weir/recorder/webm/repair"
)

func recordingsCommand() *cli.Command {
	return &cli.Command{
		Name:   "recordings",
		Usage:  "list recordings; check and repair files",
		Action: noCommand,
		Subcommands: []*cli.Command{
			{
				Name:  "list",
				Usage: "list what is recorded, newest first",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "data-dir", Value: "./weir-data", EnvVars: []string{"WEIR_DATA_DIR"}, Usage: "`FOLDER` for recordings"},
					&cli.StringFlag{Name: "stream", Usage: "list those of the stream of this `NAME` only"},
					&cli.BoolFlag{Name: "json", Usage: "print JSON, with all that is known about each"},
				},
				Action: listRecordings,
			},
			{
				Name: "verify", Usage: "say what WebM or Matroska files hold and what is wrong with them; exit status 1 if anything is",
				ArgsUsage: "FILE...", Action: verifyRecordings,
			},
			{
				Name: "repair", Usage: "make WebM or Matroska files whole: duration, index, and no piece of a frame at the end",
				ArgsUsage: "FILE...", Action: repairRecordings,
				Flags: []cli.Flag{&cli.BoolFlag{Name: "fill-sound",
					Usage: "put silence where Opus sound has holes, which Chromium plays out of step; the file as it was is kept"}},
			},
		},
	}
}

func listRecordings(c *cli.Context) error {
	dir := filepath.Join(c.String("data-dir"), "recordings")
	list, err := recorder.List(dir)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("--data-dir %s has no recordings", c.String("data-dir"))
	}
	if err != nil {
		return err
	}
	if stream := c.String("stream"); stream != "" {
		list = slices.DeleteFunc(list, func(r recorder.Recording) bool { return r.Stream != stream })
	}
	if c.Bool("json") {
		return writeList(c.App.Writer, dir, list)
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STARTED\tLENGTH\tSIZE\tSTATE\tQUALITY\tFILE")
	for _, r := range list {
		quality := "-"
		if r.Quality != nil {
			quality = r.Quality.Verdict
		}
		length := time.Duration(r.DurationMS) * time.Millisecond
		fmt.Fprintf(table, "%s\t%v\t%.1f MB\t%s\t%s\t%s\n", r.StartedAt.Local().Format(time.DateTime), length.Round(100*time.Millisecond),
			float64(r.Bytes)/1e6, r.State, quality, filepath.Join(dir, filepath.FromSlash(r.File())))
	}
	return table.Flush()
}

// writeList prints recordings as their sidecars tell them, and where the file of each is.
func writeList(w io.Writer, dir string, list []recorder.Recording) error {
	type located struct {
		recorder.Recording
		File string `json:"file"`
	}
	all := make([]located, len(list))
	for i, r := range list {
		if r.Tracks == nil { // nothing is known of them: a list yet, as in the API
			r.Tracks = []recorder.Track{}
		}
		all[i] = located{r, filepath.Join(dir, filepath.FromSlash(r.File()))}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{"recordings": all})
}

// errFaults is the end of a command that has said what is wrong.
var errFaults = errors.New("not all files are in order")

func verifyRecordings(c *cli.Context) error {
	return eachFile(c, func(w io.Writer, file string) (bool, error) {
		report, err := mend.Verify(file)
		if err != nil {
			return false, err
		}
		describe(w, file, report)
		return report.Clean && len(report.Faults) == 0, nil
	})
}

func repairRecordings(c *cli.Context) error {
	return eachFile(c, func(w io.Writer, file string) (bool, error) {
		report, filled, kept, err := repairFile(file, c.Bool("fill-sound"))
		if err != nil {
			return false, err
		}
		describe(w, file, report)
		switch {
		case filled.Frames > 0:
			fmt.Fprintf(w, "  %d holes in the sound filled with %v of silence, %d frames; the file as it was is %s\n",
				filled.Holes, filled.Duration.Round(time.Millisecond), filled.Frames, kept)
		case report.Clean:
			fmt.Fprintln(w, "  nothing to do")
		case kept != "":
			fmt.Fprintf(w, "  repaired; the file as it was is %s\n", kept)
		default:
			fmt.Fprintln(w, "  repaired")
		}
		return true, nil
	})
}

// repairFile repairs one file.
func repairFile(file string, sound bool) (report repair.Report, filled repair.Filled, kept string, err error) {
	if sound {
		return mend.FillSound(file)
	}
	report, kept, err = mend.Repair(file)
	return report, filled, kept, err
}

// eachFile calls do for every file that is given. It fails if one is not good.
func eachFile(c *cli.Context, do func(w io.Writer, file string) (good bool, err error)) error {
	if c.NArg() == 0 {
		return fmt.Errorf("%s needs the names of files", c.Command.Name)
	}
	all := true
	for _, file := range c.Args().Slice() {
		good, err := do(c.App.Writer, file)
		if err != nil {
			fmt.Fprintf(c.App.Writer, "%s\n  cannot be used: %s\n", file, strings.TrimPrefix(strings.TrimPrefix(err.Error(), "mend: "), "webm: "))
		}
		all = all && good
	}
	if !all {
		return errFaults
	}
	return nil
}

// describe prints what a file holds.
func describe(w io.Writer, file string, r repair.Report) {
	fmt.Fprintf(w, "%s\n  %v, %d frames, %d keyframes, %.1f MB", file, r.Duration.Round(time.Millisecond), r.Frames, r.Keyframes, float64(r.Bytes)/1e6)
	if r.Indexed {
		fmt.Fprint(w, ", indexed")
	}
	fmt.Fprintln(w)
	for _, t := range r.Tracks {
		fmt.Fprintf(w, "  track %d: %s, %d frames", t.Entry.Number, t.Entry.CodecID, t.Stats.Frames)
		if n := t.Stats.Filler; n > 0 {
			fmt.Fprintf(w, ", and %d of silence where sound is missing", n)
		}
		fmt.Fprintln(w)
	}
	for _, fault := range r.Faults {
		fmt.Fprintf(w, "  fault: %s\n", fault)
	}
}
