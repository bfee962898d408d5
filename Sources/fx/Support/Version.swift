/// What `fx --version` prints, and `scripts/release.sh` calls its archives by. The top of CHANGELOG.md is the same, which a test
/// looks after.
enum Version {
  static let current = "0.1.0"
}
