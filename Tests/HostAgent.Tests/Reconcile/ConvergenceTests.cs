using CsCheck;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Reconcile;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Reconcile;

/// <summary>An engine of one container that fails, forgets and crashes as the dice fall: in the end what is wanted is so.</summary>
public sealed class ConvergenceTests
{
    private enum Chance
    {
        Step,
        StepFails,
        StepWorksButTheAnswerIsLost,
        ProcessDies,
        SomebodyRemovesIt,
        PowerLoss,
        AgentRestarts,
        Stop,
        Unwant,
        GiveUp,
    }

    [Fact]
    public void Every_history_ends_as_wanted() =>
        Gen.Select(Gen.Enum<Chance>().Array[0, 60], Gen.Bool).Sample((history, imageThere) =>
        {
            var world = new World(imageThere);
            foreach (var chance in history)
                world.Happen(chance);
            world.Settle();
            Assert.Equal(world.Wanted, world.Actual);
        }, iter: 20_000);

    private sealed class World(bool imageThere)
    {
        private DesiredContainer? _desired = new() { Id = "web-1", Image = "web:1", Port = 80 };
        private Observed _observed = new() { Id = "web-1" };
        private DateTimeOffset _now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        private DateTimeOffset? _startedAt;
        private bool _hasImage = imageThere;

        public Presence Actual { get; private set; } = Presence.Absent;

        public Presence Wanted => _desired is { Stop: false } && _observed.Failure is null ? Presence.Running : Presence.Absent;

        public void Happen(Chance chance)
        {
            _now += TimeSpan.FromMilliseconds(700);
            switch (chance)
            {
                case Chance.Step: Step(works: true, answers: true); break;
                case Chance.StepFails: Step(works: false, answers: true); break;
                case Chance.StepWorksButTheAnswerIsLost: Step(works: true, answers: false); break;
                case Chance.ProcessDies: Die(); break;
                case Chance.SomebodyRemovesIt: Set(Presence.Absent); break;
                case Chance.PowerLoss:
                    Die();
                    _observed = ContainerStep.PoweredOff(_observed) with { Stale = true };
                    break;
                case Chance.AgentRestarts: _observed = new Observed { Id = "web-1", Failure = _observed.Failure }; break;
                case Chance.GiveUp: _observed = _observed with { Failure = "memory" }; break;
                case Chance.Stop: _desired = _desired is null ? null : new DesiredContainer(_desired) { Stop = true }; break;
                default: _desired = null; break;
            }
        }

        public void Settle()
        {
            for (var steps = 0; steps < 50; steps++)
            {
                var operation = ContainerStep.Next(_desired, _observed, _now);
                if (operation.Verb is Verb.Nothing or Verb.Forget)
                    return;
                _now = operation.Verb == Verb.Wait ? operation.Until : _now;
                Step(works: true, answers: true);
            }

            Assert.Fail($"no end: {_observed}, next {ContainerStep.Next(_desired, _observed, _now)}");
        }

        private void Die()
        {
            if (Actual == Presence.Running)
                Set(Presence.Exited);
        }

        private void Set(Presence presence)
        {
            Actual = presence;
            _observed = _observed with { Stale = true };
        }

        private void Step(bool works, bool answers)
        {
            var operation = ContainerStep.Next(_desired, _observed, _now);
            if (operation.Work == Work.None)
                return;
            if (operation.Verb == Verb.Inspect && works && answers)
            {
                var found = Actual == Presence.Absent ? null : new EngineContainer { Id = "web-1", Presence = Actual, Port = 10_000, StartedAt = _startedAt };
                _observed = ContainerStep.Seen(_observed, found, _now);
                return;
            }

            var result = works ? Do(operation.Verb) : new EngineResult(EngineOutcome.Refused, "no");
            _observed = ContainerStep.After(_observed, operation, answers ? result : new EngineResult(EngineOutcome.Unreachable, "lost"), _now);
        }

        private EngineResult Do(Verb verb)
        {
            switch (verb)
            {
                case Verb.FetchImage: _hasImage = true; break;
                case Verb.Create when !_hasImage: return new EngineResult(EngineOutcome.NoSuchImage, "no such image");
                case Verb.Create when Actual != Presence.Absent: return new EngineResult(EngineOutcome.Refused, "name in use");
                case Verb.Create: Actual = Presence.Created; break;
                case Verb.Start when Actual == Presence.Absent: return new EngineResult(EngineOutcome.NoSuchContainer, "gone");
                case Verb.Start: (Actual, _startedAt) = (Presence.Running, _now); break;
                case Verb.Stop: Actual = Actual == Presence.Running ? Presence.Exited : Actual; break;
                case Verb.Remove: Actual = Presence.Absent; break;
            }

            return EngineResult.Done;
        }
    }
}
