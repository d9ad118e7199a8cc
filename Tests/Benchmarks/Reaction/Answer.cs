namespace Hosting.Benchmarks.Reaction;

/// <summary>One request of the load, and what came of it.</summary>
/// <param name="Sent">Timestamp of its beginning.</param>
/// <param name="Ended">Timestamp of its end.</param>
/// <param name="By">The replica that answered; null when it failed.</param>
/// <param name="Failure">What was wrong when it failed.</param>
internal readonly record struct Answer(long Sent, long Ended, string? By, string? Failure = null);
