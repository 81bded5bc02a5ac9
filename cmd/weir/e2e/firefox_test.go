package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// firefoxSettings give it a camera, and let it play, without a question.
const firefoxSettings = `
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("media.peerconnection.ice.loopback", true);
user_pref("media.peerconnection.ice.obfuscate_host_addresses", false);
user_pref("media.autoplay.default", 0);
user_pref("media.autoplay.blocking_policy", 0);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
`

// firefox returns the name of the program, or "".
func firefox() string {
	for _, name := range []string{"firefox-esr", "firefox"} {
		if _, err := exec.LookPath(name); err == nil {
			return name
		}
	}
	return ""
}

// startFirefox opens a page in a browser of its own, which ends with the test.
func startFirefox(t *testing.T, url string) {
	t.Helper()
	profile := t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(firefoxSettings), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(firefox(), "--headless", "--no-remote", "--profile", profile, url)
	ownGroup(c) // it has children
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killGroup(c) })
}
