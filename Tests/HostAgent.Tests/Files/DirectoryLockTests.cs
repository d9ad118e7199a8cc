using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Tests.Files;

public sealed class DirectoryLockTests : IDisposable
{
    private const int Takers = 4;
    private const int Tries = 20_000;
    private readonly string _directory = Directory.CreateTempSubdirectory("hosting-lock-").FullName;
    private int _holders;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Two_never_hold_it_though_each_removes_the_file_before_it_lets_go()
    {
        var held = await Task.WhenAll(Enumerable.Range(0, Takers).Select(_ => Task.Run(TakeAndRemove)));
        Assert.All(held, times => Assert.NotEqual(0, times));
    }

    private async Task<int> TakeAndRemove()
    {
        var path = Path.Combine(_directory, "lock");
        var held = 0;
        for (var i = 0; i < Tries; i++)
        {
            using var mine = await DirectoryLock.TakeAsync(path, TimeSpan.Zero, TestContext.Current.CancellationToken);
            if (mine is null)
                continue;
            Assert.Equal(1, Interlocked.Increment(ref _holders));
            held++;
            Interlocked.Decrement(ref _holders);
            File.Delete(path);
        }

        return held;
    }
}
