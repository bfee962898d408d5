/// What `fx --version` prints: the version at the top of CHANGELOG.md, as a test and `scripts/release.sh` see to.
enum Version {
  static let current = "0.1.0"
}
