using Hosting.HostAgent.Reconcile;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.HostAgent.Tests.Reconcile;

public sealed class FailureStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("failures-").FullName;

    [Fact]
    public void A_restarted_agent_knows_what_was_given_up_until_nobody_wants_it()
    {
        var store = New();
        store.Add("web-1", "memory");
        store.Add("web-2", "memory too");
        Assert.Equal(("memory", "memory too", null), (New().ReasonOf("web-1"), New().ReasonOf("web-2"), New().ReasonOf("web-3")));
        New().Retain(new HashSet<string> { "web-2", "web-3" });
        Assert.Equal((null, "memory too"), (New().ReasonOf("web-1"), New().ReasonOf("web-2")));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_no_failure()
    {
        File.WriteAllText(Path.Combine(_directory, "failed.json"), "{");
        Assert.Null(New().ReasonOf("web-1"));
    }

    [Fact]
    public void A_disk_that_takes_nothing_keeps_nobody_running()
    {
        var store = new FailureStore("/proc/no/such/directory", NullLogger.Instance);
        store.Add("web-1", "memory");
        Assert.Equal("memory", store.ReasonOf("web-1"));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private FailureStore New()
    {
        var store = new FailureStore(_directory, NullLogger.Instance);
        store.Load();
        return store;
    }
}
