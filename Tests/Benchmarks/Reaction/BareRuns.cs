using System.Diagnostics;

namespace Hosting.Benchmarks.Reaction;

/// <summary>
/// What a scenario takes the engine alone, on the same server: containers created, started and answering, with nothing else to do and
/// nobody asking. No platform on that engine can be faster.
/// </summary>
internal sealed class BareRuns(BareEngine engine, LocalVm vm) : IDisposable
{
    private const int Replicas = 4;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(2);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(1) };

    public static async Task<BareRuns> Connect(BenchStack stack) =>
        new(await BareEngine.Connect(stack.Engine("vm-1")), Platform.VmOf(stack, 1, 1));

    public Task<TimeSpan> OneByOne() => Measure(async all =>
    {
        for (var i = 0; i < Replicas; i++)
            await Start(all);
    });

    public Task<TimeSpan> Together() => Measure(all => Task.WhenAll(Enumerable.Range(0, Replicas).Select(_ => Start(all))));

    /// <summary>From its process's end on.</summary>
    public async Task<TimeSpan> Restart()
    {
        var container = await engine.Start();
        await Answers(container);
        var ended = vm.Engine.Post($"containers/{container.Name}/wait", new System.Text.Json.Nodes.JsonObject());
        var begun = Stopwatch.GetTimestamp();
        await vm.KillContainer(container.Name);
        await ended;
        await engine.StartAgain(container);
        await Answers(container);
        var took = Stopwatch.GetElapsedTime(begun);
        await engine.Remove(container);
        return took;
    }

    public void Dispose()
    {
        _http.Dispose();
        engine.Dispose();
        vm.Dispose();
    }

    private async Task<TimeSpan> Measure(Func<List<BareContainer>, Task> start)
    {
        var all = new List<BareContainer>();
        var begun = Stopwatch.GetTimestamp();
        await start(all);
        var took = Stopwatch.GetElapsedTime(begun);
        foreach (var container in all)
            await engine.Remove(container);
        return took;
    }

    private async Task Start(List<BareContainer> all)
    {
        var container = await engine.Start();
        await Answers(container);
        lock (all)
            all.Add(container);
    }

    private Task Answers(BareContainer container) => BenchStack.Until($"the first answer of {container.Name}", async () =>
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri($"http://{vm.Address}:{container.Port}/"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }, LookEvery);
}
