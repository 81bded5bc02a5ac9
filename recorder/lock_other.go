//go:build !unix

package recorder

import "os"

// lockFolder does nothing here.
func lockFolder(*os.Root) (*os.File, error) { return nil, nil }
