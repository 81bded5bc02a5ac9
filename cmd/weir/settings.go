package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// variablePrefix begins the names of all environment variables that are settings.
const variablePrefix = "WEIR_"

// The errors of package flag and of urfave/cli that say what is wrong with a flag, for
// which they have no types.
var (
	badValue    = regexp.MustCompile(`^invalid (?:boolean )?value ("(?:[^"\\]|\\.)*") for (?:flag )?-([^: ]+): `)
	badVariable = regexp.MustCompile(`^could not parse ("(?:[^"\\]|\\.)*") as .* value from environment variable "([^"]+)" for flag ([^: ]+): `)
	noValue     = regexp.MustCompile(`^flag needs an argument: -+(.+)$`)
	noFlag      = regexp.MustCompile(`^flag provided but not defined: -+(.+)$`)
)

// usageError makes one sentence of a bad flag, without the page of help.
func usageError(c *cli.Context, err error, _ bool) error {
	name, flags := c.App.Name, c.App.Flags
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != name {
		name, flags = c.Command.HelpName, c.Command.Flags
	}
	return fmt.Errorf("%s '%s --help' lists what can be given", pointed(explainFlag(err, flags)), name)
}

// pointed returns a part of a sentence with the point behind which the next one begins.
func pointed(part string) string {
	if strings.HasSuffix(part, "?") {
		return part
	}
	return part + ";"
}

// explainFlag says in our words what is wrong with a flag.
func explainFlag(err error, flags []cli.Flag) string {
	text := err.Error()
	if m := badValue.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("--%s is %s; it must be %s", m[2], m[1], wanted(flags, m[2]))
	}
	if m := badVariable.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s is %s; it must be %s", m[2], m[1], wanted(flags, m[3]))
	}
	if m := noValue.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("--%s lacks its value: %s", m[1], wanted(flags, m[1]))
	}
	if m := noFlag.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("there is no flag --%s%s", m[1], didYouMean("--", m[1], flagNames(flags)))
	}
	return text
}

// wanted tells what a flag's value has to be.
func wanted(flags []cli.Flag, name string) string {
	for _, flag := range flags {
		if !slices.Contains(flag.Names(), name) {
			continue
		}
		switch f := flag.(type) {
		case *cli.BoolFlag:
			return "true or false"
		case *cli.DurationFlag:
			if f.Value > 0 {
				return "a time such as " + f.Value.String()
			}
			return "a time such as 10s"
		case *cli.IntFlag:
			return "a whole number such as " + strconv.Itoa(max(1, f.Value))
		case *cli.Float64Flag:
			return "a number"
		}
	}
	return "something else"
}

// flagNames returns the names of flags, without dashes.
func flagNames(flags []cli.Flag) (names []string) {
	for _, flag := range flags {
		names = append(names, flag.Names()...)
	}
	return names
}

// didYouMean returns a question to the end of a sentence: whether the one of the known
// words was meant that is closest to word, if one is close enough for a slip.
func didYouMean(before, word string, known []string) string {
	if best := closest(word, known); best != "" {
		return "; did you mean " + before + best + "?"
	}
	return ""
}

// closest returns the one of the known words that word is a slip of, or "".
func closest(word string, known []string) (best string) {
	// A slip for each three letters: of what is further away nobody knows what it means.
	least := max(1, len(word)/3) + 1
	for _, k := range known {
		if d := distance(word, k); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance returns how many letters have to be put in, left out, changed or swapped with
// their neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			other := 1
			if a[i-1] == b[j-1] {
				other = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+other)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// fromKubernetes matches the variables that Kubernetes sets in all containers for a
// Service that is called weir: nobody meant them as settings.
var fromKubernetes = regexp.MustCompile(`^WEIR_(SERVICE_HOST|(SERVICE_)?PORT(_.*)?)$`)

// unknownVariables returns a sentence for each variable of the environment that looks
// like a setting, and is none of any command.
func unknownVariables(environment []string, commands []*cli.Command) (sentences []string) {
	var known []string
	for _, c := range commands {
		for _, flag := range c.Flags {
			if f, ok := flag.(cli.DocGenerationFlag); ok {
				known = append(known, f.GetEnvVars()...)
			}
		}
	}
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, variablePrefix) && !slices.Contains(known, name) && !fromKubernetes.MatchString(name) {
			sentences = append(sentences, fmt.Sprintf("the environment variable %s is no setting%s", name, didYouMean("", name, known)))
		}
	}
	slices.Sort(sentences)
	return sentences
}

// origins are where settings come from that are not given on the command line: for each
// flag's name what is to be said instead of the flag.
type origins map[string]string

// originsKey is where a command's origins are kept while it runs.
const originsKey = "origins"

// noteVariables notes which flags of c have their value from the environment. It must
// come before anything else sets flags.
func (o origins) noteVariables(c *cli.Context) {
	for _, flag := range c.Command.Flags {
		f, ok := flag.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		name := flag.Names()[0]
		for _, variable := range f.GetEnvVars() {
			// urfave/cli does not tell by which of the two a flag was set.
			if value := os.Getenv(variable); value != "" && isValue(c, name, value) {
				o[name] = variable
			}
		}
	}
}

// isValue reports whether a flag has a value, given as text.
func isValue(c *cli.Context, name, text string) bool {
	switch v := c.Value(name).(type) {
	case string:
		return v == text
	case time.Duration:
		d, err := time.ParseDuration(text)
		return err == nil && d == v
	}
	return false
}

// located is an error that says where the setting is that it is about.
type located struct {
	text string
	err  error
}

func (e *located) Error() string { return e.text }
func (e *located) Unwrap() error { return e.err }

// settingError is how an error begins that is about a flag's value.
var settingError = regexp.MustCompile(`^--([a-z-]+) `)

// locate makes an error that is about a flag be about what has set it.
func (o origins) locate(err error) error {
	if err == nil {
		return nil
	}
	m := settingError.FindStringSubmatch(err.Error())
	if m == nil || o[m[1]] == "" {
		return err
	}
	return &located{o[m[1]] + strings.TrimPrefix(err.Error(), "--"+m[1]), err}
}

// originsOf returns the origins that readSettings has noted.
func originsOf(c *cli.Context) origins {
	o, _ := c.App.Metadata[originsKey].(origins)
	return o
}

// readSettings takes in what is set elsewhere than on the command line, and warns of
// what looks like it.
func readSettings(c *cli.Context) error {
	o := origins{}
	if c.App.Metadata == nil {
		c.App.Metadata = map[string]any{}
	}
	c.App.Metadata[originsKey] = o
	o.noteVariables(c)
	return readConfig(c, o)
}

// noCommand is the action of what has commands, and was given none that it knows.
func noCommand(c *cli.Context) error {
	name, commands := c.App.Name, c.App.Commands
	nested := c.Command != nil && len(c.Command.Subcommands) > 0
	if nested {
		name, commands = c.Command.HelpName, c.Command.Subcommands
	}
	word := c.Args().First()
	if word == "" {
		if nested {
			return cli.ShowSubcommandHelp(c)
		}
		return cli.ShowAppHelp(c)
	}
	return unknownCommand(name, word, commands)
}

func unknownCommand(name, word string, commands []*cli.Command) error {
	var known []string
	for _, command := range commands {
		known = append(known, command.Name)
	}
	return fmt.Errorf("%s '%s --help' lists the commands", pointed(fmt.Sprintf("there is no command %q%s", word, didYouMean("", word, known))), name)
}

func helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", ArgsUsage: "[COMMAND]", HideHelp: true,
		Usage: "tell what a command does and which flags it takes",
		Action: func(c *cli.Context) error {
			word := c.Args().First()
			if word == "" {
				return cli.ShowAppHelp(c)
			}
			if c.App.Command(word) == nil {
				return unknownCommand(c.App.Name, word, c.App.Commands)
			}
			return c.App.RunContext(c.Context, slices.Concat([]string{c.App.Name}, c.Args().Slice(), []string{"--help"}))
		},
	}
}
