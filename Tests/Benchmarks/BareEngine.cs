using Hosting.HostAgent.Engine;
using Hosting.Protocol;

namespace Hosting.Benchmarks;

/// <summary>The floor: create and start, by the client the agent uses, on the engine it uses, with the same settings, and nothing else.</summary>
internal sealed class BareEngine(ContainerEngine engine) : IDisposable
{
    // Above the ports the agent publishes at.
    private const int FirstPort = 50_000;

    private int _started;

    public static async Task<BareEngine> Connect(Uri endpoint) =>
        new(await ContainerEngine.ConnectAsync(endpoint, "bare", CancellationToken.None));

    /// <summary>Creates one container and starts it.</summary>
    public async Task<BareContainer> Start()
    {
        var number = Interlocked.Increment(ref _started);
        var container = new BareContainer($"bare-{number}", FirstPort + number);
        var wanted = new DesiredContainer
        {
            Id = container.Name, App = "bare", Revision = 1, Image = "hosting/hello:1", Port = 8080, CpuMillis = 10, MemoryMib = 16, StopGraceSeconds = 1,
        };
        Check((await engine.CreateAsync(wanted, container.Port, CancellationToken.None)).Result);
        await StartAgain(container);
        return container;
    }

    /// <summary>Starts one whose process has ended.</summary>
    public async Task StartAgain(BareContainer container) => Check(await engine.StartAsync(container.Name, CancellationToken.None));

    public async Task Remove(BareContainer container) => Check(await engine.RemoveAsync(container.Name, CancellationToken.None));

    public void Dispose() => engine.Dispose();

    private static void Check(EngineResult result)
    {
        if (result.Outcome != EngineOutcome.Done)
            throw new PreconditionException($"the bare engine refused: {result}");
    }
}

/// <summary>A container that only its engine knows of.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Port">Port of the VM that leads to it.</param>
internal sealed record BareContainer(string Name, int Port);
