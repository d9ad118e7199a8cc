using Hosting.HostAgent.Engine;
using Hosting.Protocol;

namespace Hosting.Benchmarks.Lifecycle;

/// <summary>The floor: create and start, by the client the agent uses, on the engine it uses, with the same settings, and nothing else.</summary>
internal sealed class BareEngine(ContainerEngine engine, int firstPort) : IDisposable
{
    private int _next;

    public static async Task<BareEngine> Connect(Uri endpoint, int firstPort) =>
        new(await ContainerEngine.ConnectAsync(endpoint, "bare", CancellationToken.None), firstPort);

    /// <summary>Creates and starts one container, and answers its name.</summary>
    public async Task<string> Start()
    {
        var number = Interlocked.Increment(ref _next);
        var wanted = new DesiredContainer
        {
            Id = $"bare-{number}", App = "bare", Revision = 1, Image = "hosting/hello:1", Port = 8080, CpuMillis = 10, MemoryMib = 16, StopGraceSeconds = 1,
        };
        Check((await engine.CreateAsync(wanted, firstPort + number, CancellationToken.None)).Result);
        Check(await engine.StartAsync(wanted.Id, CancellationToken.None));
        return wanted.Id;
    }

    public async Task Remove(string name) => Check(await engine.RemoveAsync(name, CancellationToken.None));

    public void Dispose() => engine.Dispose();

    private static void Check(EngineResult result)
    {
        if (result.Outcome != EngineOutcome.Done)
            throw new PreconditionException($"the bare engine refused: {result}");
    }
}
