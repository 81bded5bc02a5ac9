package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
)

func main() {
	os.Exit(run(context.Background(), os.Args, os.Stdout, os.Stderr))
}

// run runs the command line and returns the exit status: 0, or 1 after one clear
// sentence on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:            "weir",
		Usage:           "WebRTC ingest and relay: publish from a browser, watch at once, keep it as WebM",
		Version:         version(),
		HideHelpCommand: true, // ours names what was meant
		Flags:           []cli.Flag{cli.HelpFlag},
		Writer:          stdout,
		ErrWriter:       stderr,
		Commands:        []*cli.Command{serveCommand(), recordingsCommand(), loadCommand(), benchCommand(), versionCommand(), helpCommand()},
		OnUsageError:    usageError,
		ExitErrHandler:  func(*cli.Context, error) {}, // the status is ours
		CommandNotFound: func(*cli.Context, string) {},
		Action:          noCommand,
	}
	setUsageError(app.Commands)
	if err := app.RunContext(ctx, args); err != nil {
		sentence := strings.Join(strings.Fields(err.Error()), " ") // some errors have several lines
		fmt.Fprintf(stderr, "weir: %s\n", sentence)
		return 1
	}
	return 0
}

// setUsageError makes commands, and those below them, say what is wrong with their flags
// in one sentence.
func setUsageError(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = usageError
		setUsageError(c.Subcommands)
	}
}
