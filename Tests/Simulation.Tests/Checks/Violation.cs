namespace Hosting.Simulation.Tests.Checks;

/// <summary>A rule was broken.</summary>
/// <param name="Rule">Which, in words.</param>
/// <param name="Message">The numbers.</param>
/// <param name="Seconds">When, since the start of the simulation.</param>
internal sealed record Violation(string Rule, string Message, double Seconds);
