namespace Hosting.Simulation.Tests.Load;

/// <summary>What the primary of a real server, or of an invented one, took over a month: one row every 5 minutes.</summary>
/// <param name="Cpu">Shares of the server's CPU, 0 to 1.</param>
/// <param name="Memory">Shares of the server's memory, 0 to 1.</param>
internal sealed record PrimaryTrace(float[] Cpu, float[] Memory)
{
    /// <summary>Seconds between two rows.</summary>
    public const double RowSeconds = 300;
}
