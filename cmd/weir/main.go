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
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		Commands:        []*cli.Command{serveCommand(), recordingsCommand(), loadCommand(), benchCommand(), versionCommand()},
		OnUsageError:    usageError,
		ExitErrHandler:  func(*cli.Context, error) {}, // the status is ours
		CommandNotFound: func(*cli.Context, string) {},
		Action:          noCommand,
	}
	for _, c := range app.Commands {
		c.OnUsageError = usageError
	}
	if err := app.RunContext(ctx, args); err != nil {
		sentence := strings.Join(strings.Fields(err.Error()), " ") // some errors have several lines
		fmt.Fprintf(stderr, "weir: %s\n", sentence)
		return 1
	}
	return 0
}

// usageError makes one sentence of a bad flag, without the page of help.
func usageError(c *cli.Context, err error, _ bool) error {
	name := c.App.Name
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != name {
		name += " " + c.Command.Name
	}
	return fmt.Errorf("%w; '%s --help' lists what can be given", err, name)
}

func noCommand(c *cli.Context) error {
	if word := c.Args().First(); word != "" {
		return fmt.Errorf("there is no command %q; 'weir --help' lists the commands", word)
	}
	return cli.ShowAppHelp(c)
}
