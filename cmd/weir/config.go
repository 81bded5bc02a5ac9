package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"
)

// configFlag names the flag that gives the file.
const configFlag = "config"

// readConfig sets the flags of c from the YAML file that --config names: a map from
// flag names, without dashes, to values. The command line and the environment win. A
// key that is no flag is an error, so that a typing mistake does not go unseen. o gets
// where in the file the flags are set.
func readConfig(c *cli.Context, o origins) error {
	name := c.String(configFlag)
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("--config %s cannot be read: %w", name, err)
	}
	defer f.Close()
	var values map[string]yaml.Node
	if err := yaml.NewDecoder(f).Decode(&values); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("--config %s is not a YAML map from flags to values: %w", name, err)
	}
	var known []string
	for _, flag := range c.Command.Flags {
		if n := flag.Names()[0]; n != configFlag && n != "help" {
			known = append(known, n)
		}
	}
	for key, value := range values {
		if !slices.Contains(known, key) {
			return fmt.Errorf("--config %s, line %d: %s those there are: %s", name, value.Line, pointed(fmt.Sprintf("there is no setting %q%s", key, didYouMean("", key, known))), strings.Join(known, ", "))
		}
		if value.Kind != yaml.ScalarNode {
			return fmt.Errorf("--config %s, line %d: %s takes one value, and this is a list or a map", name, value.Line, key)
		}
		if c.IsSet(key) {
			continue
		}
		given, err := settingOf(c.Command, key, value)
		if err == nil {
			err = c.Set(key, given)
		}
		where := fmt.Sprintf("--config %s, line %d: %s", name, value.Line, key)
		if err != nil {
			return fmt.Errorf("%s is %q; it must be %s", where, value.Value, wanted(c.Command.Flags, key))
		}
		o[key] = where
	}
	return nil
}

// settingOf returns the value as the flag takes it. YAML has more words for yes
// and no than flags have.
func settingOf(c *cli.Command, key string, value yaml.Node) (string, error) {
	for _, flag := range c.Flags {
		if _, isBool := flag.(*cli.BoolFlag); isBool && flag.Names()[0] == key {
			var b bool
			if err := value.Decode(&b); err != nil {
				return "", err
			}
			return strconv.FormatBool(b), nil
		}
	}
	return value.Value, nil
}
