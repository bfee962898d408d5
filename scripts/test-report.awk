# Counts the tests in what `swift test` printed: see test.sh. Variables: status (of `swift test`), strict, goal.
#
# Lines are "<symbol> Test <name> started.", "... passed after ...", "... failed after ..." and "... skipped: ...";
# a test that prints without a final newline may have left something before the symbol. Names are not unique.
!/(◇|✔|✘|━|➜) Test / { next }
{ sub(/\r$/, ""); sub(/^.*(◇|✔|✘|━|➜) Test /, "") }
/^(run|case) / { next }
/ started\.$/ { sub(/ started\.$/, ""); running[$0]++; next }
/ passed after [0-9.]+ seconds/ {
  sub(/( with [0-9]+ test cases?)? passed after [0-9.]+ seconds.*$/, ""); running[$0]--; passed++; next
}
/ failed after [0-9.]+ seconds/ {
  sub(/( with [0-9]+ test cases?)? failed after [0-9.]+ seconds.*$/, ""); running[$0]--; failed++; broken[$0] = 1; next
}
/ was cancelled after [0-9.]+ seconds/ {
  skipped[$0] = 1; sub(/( with [0-9]+ test cases?)? was cancelled after .*$/, ""); running[$0]--; next
}
/ skipped(: .*|\.)$/ { skipped[$0] = 1; next }
END {
  # The exit status decides: after a clean run, a line that could not be read is no failure.
  for (name in running) if (running[name] > 0) {
    if (status == 0) passed += running[name]
    else { failed += running[name]; broken[name " (did not end)"] = 1 }
  }
  if (status != 0 && failed == 0) { failed = 1; broken["swift test ended with status " status] = 1 }
  if (passed + failed == 0) { failed = 1; broken["no test ran"] = 1 }
  print ""
  for (name in skipped) {
    print "skipped: " name
    # A reason names the goal that would run the test: "`make codegen` runs these".
    if (strict && (!match(name, /`make [a-z-]+`/) || substr(name, RSTART + 6, RLENGTH - 7) == goal)) {
      failed++; broken["skipped, which nothing explains: " name] = 1
    }
  }
  for (name in broken) print "failed: " name
  printf "%d passed, %d failed\n", passed, failed
  exit failed > 0
}
